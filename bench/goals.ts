/** What Headwater promises of its speed and size, beside what this run measured. */
import type { Goal, Table } from './section.ts';
import type { Timing } from './measure.ts';

/** How long one contender takes as a share of another's time. CPU time where the system tells it: neighbours don't lengthen it. */
export function ratioGoal(
  what: string,
  timings: ReadonlyMap<string, Timing>,
  [name, baseline]: readonly [name: string, baseline: string],
  atMost: number,
): Goal[] {
  const [timing, base] = [timings.get(name), timings.get(baseline)];
  if (timing === undefined || base === undefined) return [];
  const measured =
    timing.cpu === undefined || base.cpu === undefined
      ? timing.wall.median / base.wall.median
      : timing.cpu.median / base.cpu.median;
  return [{ what, atMost, measured }];
}

export function goalTable(goals: readonly Goal[]): Table {
  return {
    columns: ['', 'goal', 'measured', ''],
    rows: goals.map(({ what, atMost, measured, unit }) => [
      what,
      `≤ ${numberText(atMost, unit)}`,
      numberText(measured, unit),
      measured <= atMost ? 'met' : 'missed',
    ]),
  };
}

/** Never rounded towards the goal: further digits are dropped upwards. */
function numberText(value: number, unit: string | undefined): string {
  if (value > 0 && value < 1e-3) return value.toExponential(1);
  const digits = Math.abs(value) < 10 ? 1000 : 10;
  const shown = Math.ceil(value * digits - 1e-9) / digits;
  return unit === undefined ? String(shown) : `${shown} ${unit}`;
}
