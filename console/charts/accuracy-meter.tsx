/** One accuracy on a line from 0 to 100 %, with its 95 % interval as a band. */
import type { Metrics } from '../../src/api/index.ts';
import { percent } from '../ui/format.ts';

export function AccuracyMeter({ metrics }: { readonly metrics: Metrics }) {
  const { accuracy } = metrics;
  const [low = accuracy, high = accuracy] = metrics.accuracy_interval;
  const name = `Accuracy ${percent(accuracy)}, 95 % interval ${percent(low)} to ${percent(high)}`;
  return (
    <div class="meter" role="img" aria-label={name}>
      <span class="meter-band" style={{ left: `${100 * low}%`, width: `${100 * (high - low)}%` }} />
      <span class="meter-point" style={{ left: `${100 * accuracy}%` }} />
    </div>
  );
}
