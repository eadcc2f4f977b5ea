/** How good the current version is, judged on its own examples, each held out. */
import type { Metrics } from '../../../src/api/index.ts';
import { AccuracyMeter } from '../../charts/accuracy-meter.tsx';
import { ClassBars } from '../../charts/class-bars.tsx';
import { percent } from '../../ui/format.ts';
import { Notice } from '../../ui/notice.tsx';
import type { TabProps } from './tab-props.ts';
import { ReportPanels } from './report-panels.tsx';

export function QualityTab({ name, detail, reload }: TabProps) {
  const current = detail?.versions.find((version) => version.current);
  if (detail === null || current === undefined) return null;
  const metrics = current.leave_one_out;
  return (
    <>
      {metrics === null ? (
        <Notice>Each class needs two pictures before the head can be judged.</Notice>
      ) : (
        <MetricCards metrics={metrics} heldOutBy={current.held_out_by} />
      )}
      <section class="card stack">
        <h2>Classes</h2>
        <ClassBars classes={detail.classes} />
      </section>
      {metrics !== null && <ReportPanels head={name} version={current} onFixed={reload} />}
    </>
  );
}

interface MetricCardsProps {
  readonly metrics: Metrics;
  /** As the Worker says: 'leave-one-out', '4-fold'. */
  readonly heldOutBy: string;
}

function MetricCards({ metrics, heldOutBy }: MetricCardsProps) {
  const [low = 0, high = 1] = metrics.accuracy_interval;
  const others = [
    ['Macro F1', percent(metrics.macro_f1), 'the mean over the classes, large and small'],
    ['Calibration error', percent(metrics.ece), 'how far “80 % sure” is from right 80 % of the time'],
    ['Log-loss', metrics.log_loss.toFixed(3), 'lower is better; sure and wrong costs most'],
  ] as const;
  return (
    <section class="card stack">
      <div class="metric-row">
        <div class="stack-s metric-main">
          <h2 class="label">Accuracy</h2>
          <p class="metric metric-large">{percent(metrics.accuracy)}</p>
          <AccuracyMeter metrics={metrics} />
          <p class="soft small">
            95 % certain to lie between {percent(low)} and {percent(high)}
          </p>
        </div>
        {others.map(([name, value, means]) => (
          <div class="stack-s" key={name}>
            <h2 class="label">{name}</h2>
            <p class="metric">{value}</p>
            <p class="soft small">{means}</p>
          </div>
        ))}
      </div>
      <p class="soft small">
        {heldOut(heldOutBy)}: each of the {metrics.examples} examples is judged by a head that never saw it.
        New pictures like these can be expected to fare about the same.
      </p>
    </section>
  );
}

function heldOut(by: string): string {
  const folds = /^(\d+)-fold$/.exec(by)?.[1];
  return folds === undefined ? 'By leave-one-out' : `Held out in ${folds} folds`;
}
