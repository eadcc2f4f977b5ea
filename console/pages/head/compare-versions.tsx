/** Two versions side by side. */
import { useState } from 'preact/hooks';
import type { Metrics, VersionSummary } from '../../../src/api/index.ts';
import { Choice } from '../../ui/choice.tsx';
import { percent } from '../../ui/format.ts';

interface Row {
  readonly name: string;
  /** undefined for a version that can't be judged. */
  readonly of: (version: VersionSummary) => number | undefined;
  readonly show: (value: number) => string;
  /** How a difference is written. */
  readonly difference: (value: number) => string;
  /** Where one of them is better. */
  readonly better?: 'higher' | 'lower';
}

const share = {
  show: (value: number) => percent(value),
  difference: (value: number) => `${signed(100 * value, 1)} points`,
};
const loss = { show: (value: number) => value.toFixed(3), difference: (value: number) => signed(value, 3) };
const whole = { show: String, difference: (value: number) => signed(value, 0) };
const metric =
  (pick: (metrics: Metrics) => number): Row['of'] =>
  ({ leave_one_out: metrics }) =>
    metrics ? pick(metrics) : undefined;

const ROWS: readonly Row[] = [
  { name: 'Accuracy', of: metric(({ accuracy }) => accuracy), ...share, better: 'higher' },
  { name: 'Macro F1', of: metric(({ macro_f1: f1 }) => f1), ...share, better: 'higher' },
  { name: 'Calibration error', of: metric(({ ece }) => ece), ...share, better: 'lower' },
  { name: 'Log-loss', of: metric(({ log_loss: logLoss }) => logLoss), ...loss, better: 'lower' },
  { name: 'Classes', of: ({ classes }) => classes, ...whole },
  { name: 'Examples', of: ({ examples }) => examples, ...whole },
];

export function CompareVersions({ versions }: { readonly versions: readonly VersionSummary[] }) {
  const [left, setLeft] = useState(versions[1]?.version);
  const [right, setRight] = useState(versions[0]?.version);
  const before = versions.find(({ version }) => version === left);
  const after = versions.find(({ version }) => version === right);
  const options = versions.map(({ version }) => ({ value: version, text: `version ${version}` }));
  return (
    <section class="card stack">
      <h2>Compare</h2>
      <div class="row">
        <Choice name="One version" options={options} value={left} onChoose={setLeft} />
        <span class="soft">with</span>
        <Choice name="Another version" options={options} value={right} onChoose={setRight} />
      </div>
      {before && after && <Comparison before={before} after={after} />}
    </section>
  );
}

interface ComparisonProps {
  readonly before: VersionSummary;
  readonly after: VersionSummary;
}

function Comparison({ before, after }: ComparisonProps) {
  return (
    <div class="table-wrap" tabIndex={0} role="region" aria-label="Comparison">
      <table class="table comparison">
        <thead>
          <tr>
            <td />
            <th scope="col">Version {before.version}</th>
            <th scope="col">Version {after.version}</th>
            <th scope="col">Difference</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map((row) => (
            <ComparedRow key={row.name} row={row} before={before} after={after} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ComparedRow({ row, before, after }: ComparisonProps & { readonly row: Row }) {
  const [was, is] = [row.of(before), row.of(after)];
  const difference = was === undefined || is === undefined ? undefined : is - was;
  const tone =
    difference && row.better ? (difference > 0 === (row.better === 'higher') ? 'good' : 'bad') : undefined;
  return (
    <tr>
      <th scope="row">{row.name}</th>
      <td>{was === undefined ? '–' : row.show(was)}</td>
      <td>{is === undefined ? '–' : row.show(is)}</td>
      <td class="difference" data-tone={tone}>
        {difference === undefined ? '–' : row.difference(difference)}
      </td>
    </tr>
  );
}

function signed(value: number, digits: number): string {
  const size = Math.abs(value).toFixed(digits);
  if (Number(size) === 0) return `±${size}`;
  return `${value > 0 ? '+' : '−'}${size}`;
}
