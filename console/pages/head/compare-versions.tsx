/** Two versions side by side. */
import { useState } from 'preact/hooks';
import type { Metrics, VersionSummary } from '../../../src/api/index.ts';
import { percent } from '../../ui/format.ts';

interface Row {
  readonly name: string;
  readonly of: (metrics: Metrics) => number;
  readonly show: (value: number) => string;
  /** How a difference is written. */
  readonly difference: (value: number) => string;
  readonly higherIsBetter: boolean;
}

const points = (value: number): string => `${signed(100 * value, 1)} points`;
const share = (value: number): string => percent(value);

const ROWS: readonly Row[] = [
  { name: 'Accuracy', of: ({ accuracy }) => accuracy, show: share, difference: points, higherIsBetter: true },
  {
    name: 'Macro F1',
    of: (metrics) => metrics.macro_f1,
    show: share,
    difference: points,
    higherIsBetter: true,
  },
  { name: 'Calibration error', of: ({ ece }) => ece, show: share, difference: points, higherIsBetter: false },
  {
    name: 'Log-loss',
    of: (metrics) => metrics.log_loss,
    show: (value) => value.toFixed(3),
    difference: (value) => signed(value, 3),
    higherIsBetter: false,
  },
];

export function CompareVersions({ versions }: { readonly versions: readonly VersionSummary[] }) {
  const [left, setLeft] = useState(versions[1]?.version);
  const [right, setRight] = useState(versions[0]?.version);
  const before = versions.find(({ version }) => version === left);
  const after = versions.find(({ version }) => version === right);
  return (
    <section class="card stack">
      <h2>Compare</h2>
      <div class="row">
        <Choice label="One version" versions={versions} value={left} onChoose={setLeft} />
        <span class="soft">with</span>
        <Choice label="Another version" versions={versions} value={right} onChoose={setRight} />
      </div>
      {before && after && <Comparison before={before} after={after} />}
    </section>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly versions: readonly VersionSummary[];
  readonly value: number | undefined;
  readonly onChoose: (version: number) => void;
}

function Choice({ label, versions, value, onChoose }: ChoiceProps) {
  return (
    <select
      class="select"
      aria-label={label}
      value={value}
      onChange={({ currentTarget }) => onChoose(Number(currentTarget.value))}
    >
      {versions.map(({ version }) => (
        <option key={version} value={version}>
          version {version}
        </option>
      ))}
    </select>
  );
}

function Comparison({ before, after }: { readonly before: VersionSummary; readonly after: VersionSummary }) {
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
            <MetricRow key={row.name} row={row} before={before.leave_one_out} after={after.leave_one_out} />
          ))}
          <CountRow name="Classes" before={before.classes} after={after.classes} />
          <CountRow name="Examples" before={before.examples} after={after.examples} />
        </tbody>
      </table>
    </div>
  );
}

interface MetricRowProps {
  readonly row: Row;
  readonly before: Metrics | null;
  readonly after: Metrics | null;
}

function MetricRow({ row, before, after }: MetricRowProps) {
  const difference = before && after ? row.of(after) - row.of(before) : undefined;
  const tone =
    difference === undefined || difference === 0 ? undefined : difference > 0 === row.higherIsBetter;
  return (
    <tr>
      <th scope="row">{row.name}</th>
      <td>{before ? row.show(row.of(before)) : '–'}</td>
      <td>{after ? row.show(row.of(after)) : '–'}</td>
      <td class="difference" data-tone={tone === undefined ? undefined : tone ? 'good' : 'bad'}>
        {difference === undefined ? '–' : row.difference(difference)}
      </td>
    </tr>
  );
}

function CountRow({
  name,
  before,
  after,
}: {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{before}</td>
      <td>{after}</td>
      <td>{signed(after - before, 0)}</td>
    </tr>
  );
}

function signed(value: number, digits: number): string {
  const size = Math.abs(value).toFixed(digits);
  if (Number(size) === 0) return `±${size}`;
  return `${value > 0 ? '+' : '−'}${size}`;
}
