/** What a version's report shows: confusion, reliability, examples to look at. */
import { ApiError } from '../../../sdk/client.ts';
import type { VersionSummary } from '../../../src/api/index.ts';
import type { VersionReport } from '../../../src/api/report.ts';
import { ConfusionMatrix } from '../../charts/confusion-matrix.tsx';
import { ReliabilityDiagram } from '../../charts/reliability-diagram.tsx';
import { useResource } from '../../state/resource.ts';
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
    (signal) => reportOf(head, version.version, signal),
    [head, version.version],
  );
  if (error !== undefined) return <Failure error={error} onRetry={reload} />;
  if (data === undefined) return <Loading what="the report" />;
  if (data === null) return null;
  return (
    <>
      <div class="columns">
        <section class="card stack">
          <h2>What is taken for what</h2>
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

/** @returns null for a version that was not taught here. */
async function reportOf(head: string, version: number, signal: AbortSignal): Promise<VersionReport | null> {
  try {
    return await client().versionReport(head, version, { signal });
  } catch (error) {
    if (error instanceof ApiError && error.code === 'version_not_found') return null;
    throw error;
  }
}
