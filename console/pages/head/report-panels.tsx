/** What a version's report shows: confusion, reliability, examples to look at. */
import type { VersionSummary } from '../../../src/api/index.ts';
import { ConfusionMatrix } from '../../charts/confusion-matrix.tsx';
import { ReliabilityDiagram } from '../../charts/reliability-diagram.tsx';
import { orNull, useResource } from '../../state/resource.ts';
import { client } from '../../state/session.ts';
import { Failure, Loading } from '../../ui/notice.tsx';
import { HardestExamples } from './hardest-examples.tsx';

interface ReportPanelsProps {
  readonly head: string;
  readonly version: VersionSummary;
  readonly onFixed: () => void;
}

export function ReportPanels({ head, version, onFixed }: ReportPanelsProps) {
  const { data, error, reload } = useResource(
    // There is none of a version that was not taught here.
    (signal) => orNull(client().versionReport(head, version.version, { signal }), 'version_not_found'),
    [head, version.version],
  );
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return <Loading what="the report" />;
  if (data === null) return null;
  return (
    <>
      <div class="columns">
        <section class="card stack">
          <h2>Confusion matrix</h2>
          <ConfusionMatrix labels={data.labels} confusion={data.confusion} />
        </section>
        <section class="card stack">
          <h2>How sure, and how often right</h2>
          <ReliabilityDiagram bins={data.reliability} ece={version.leave_one_out?.ece ?? 0} />
        </section>
      </div>
      <HardestExamples report={data} onFixed={onFixed} />
    </>
  );
}
