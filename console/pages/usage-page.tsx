/** What was used, by day and kind. */
import type { UsageDay } from '../../src/api/usage.ts';
import { tint, UsageChart } from '../charts/usage-chart.tsx';
import { useResource } from '../state/resource.ts';
import { client } from '../state/session.ts';
import { Failure, Loading } from '../ui/notice.tsx';

export function UsagePage() {
  const { data, error, reload } = useResource((signal) => client().usage({ signal }), []);
  return (
    <>
      <h1>Usage</h1>
      {error !== undefined && <Failure error={error} onRetry={reload} />}
      {data === undefined && error === undefined && <Loading what="usage" />}
      {data && <Days days={everyDay(data.days)} />}
    </>
  );
}

function Days({ days }: { readonly days: readonly UsageDay[] }) {
  const totals = new Map<string, number>();
  for (const { counts } of days) {
    for (const [kind, n] of Object.entries(counts)) totals.set(kind, (totals.get(kind) ?? 0) + n);
  }
  if (totals.size === 0) {
    return (
      <div class="empty">
        <h2>Nothing yet</h2>
        <p>Requests are counted here by day, from the first one on.</p>
      </div>
    );
  }
  const kinds = [...totals].sort(([, a], [, b]) => b - a);
  return (
    <section class="card stack">
      <UsageChart days={days} kinds={kinds.map(([kind]) => kind)} />
      <ul class="row legend" aria-label="Requests by kind">
        {kinds.map(([kind, n], i) => (
          <li key={kind} class="row">
            <span class="legend-mark" data-tint={tint(i)} aria-hidden="true" />
            {kind} <strong class="number">{n.toLocaleString('en')}</strong>
          </li>
        ))}
      </ul>
    </section>
  );
}

const DAYS = 30;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The last days up to today, also those without any use. */
function everyDay(used: readonly UsageDay[]): UsageDay[] {
  const known = new Map(used.map((day) => [day.day, day]));
  return Array.from({ length: DAYS }, (_, i) => {
    const day = new Date(Date.now() - (DAYS - 1 - i) * DAY_MS).toISOString().slice(0, 10);
    return known.get(day) ?? { day, counts: {} };
  });
}
