/** Requests a day, stacked by kind. */
import type { UsageDay } from '../../src/api/usage.ts';
import { count, shortDay } from '../ui/format.ts';

/** A phone gets a narrower drawing, not a smaller one. */
const WIDTH = matchMedia('(max-width: 45rem)').matches ? 360 : 720;
const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 22;
/** Tints of the accent, as many as there are; kinds beyond share the last. */
const TINTS = 5;

interface Props {
  readonly days: readonly UsageDay[];
  readonly kinds: readonly string[];
}

export function UsageChart({ days, kinds }: Props) {
  const largest = axisEnd(Math.max(1, ...days.map(total)));
  const step = (WIDTH - LEFT) / Math.max(1, days.length);
  const y = (n: number): number => HEIGHT - BOTTOM - (n / largest) * (HEIGHT - BOTTOM - 12);
  const sum = days.reduce((all, day) => all + total(day), 0);
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      role="img"
      aria-label={`${count(sum, 'request')} in ${count(days.length, 'day')}`}
    >
      {[0, largest / 2, largest].map((tick) => (
        <g key={tick}>
          <line class="chart-grid" x1={LEFT} x2={WIDTH} y1={y(tick)} y2={y(tick)} />
          <text x={LEFT - 6} y={y(tick) + 3.5} text-anchor="end">
            {tick.toLocaleString('en')}
          </text>
        </g>
      ))}
      {days.map((day, i) => (
        <Bar
          key={day.day}
          day={day}
          kinds={kinds}
          x={LEFT + i * step + step * 0.15}
          width={step * 0.7}
          y={y}
        />
      ))}
      {days.length > 0 && (
        <>
          <text x={LEFT} y={HEIGHT - 6}>
            {shortDay(days[0].day)}
          </text>
          <text x={WIDTH} y={HEIGHT - 6} text-anchor="end">
            {shortDay(days[days.length - 1].day)}
          </text>
        </>
      )}
    </svg>
  );
}

interface BarProps {
  readonly day: UsageDay;
  readonly kinds: readonly string[];
  readonly x: number;
  readonly width: number;
  readonly y: (n: number) => number;
}

function Bar({ day, kinds, x, width, y }: BarProps) {
  let below = 0;
  return (
    <g>
      {kinds.map((kind, i) => {
        const n = day.counts[kind] ?? 0;
        const top = y(below + n);
        const height = y(below) - top;
        below += n;
        return n === 0 ? null : (
          <rect key={kind} class="chart-bar" data-tint={tint(i)} x={x} width={width} y={top} height={height}>
            <title>{`${shortDay(day.day)}: ${kind} ${n.toLocaleString('en')}`}</title>
          </rect>
        );
      })}
    </g>
  );
}

/** @returns which tint stands for the kind at this place. */
export function tint(i: number): number {
  return Math.min(i, TINTS - 1);
}

/** @returns a round number at or above `n` whose half is whole. */
function axisEnd(n: number): number {
  const unit = 10 ** Math.max(0, Math.ceil(Math.log10(n)) - 1);
  return Math.ceil(n / (2 * unit)) * 2 * unit;
}

function total(day: UsageDay): number {
  return Object.values(day.counts).reduce((sum, n) => sum + n, 0);
}
