/** Section of the report about backbones and sizes: accuracy against what they cost at the edge. */
import { percent } from '../evaluation/metrics-text.ts';
import { EDGE_MACHINE } from '../strategy/cost/edge.ts';
import { comparison } from '../strategy/space/frontier.ts';
import { spaceName, type Frontier } from '../strategy/space/screening.ts';
import { html, table, type Html } from './html.ts';
import { accuracyAxis, left, plot, top, type Axis } from './plot.ts';

export function frontierSection({ spaces, chosen, because, pictures }: Frontier): Html {
  const most = Math.max(...spaces.map(({ ms }) => ms)) * 1.1;
  const x: Axis = {
    share: (ms) => ms / most,
    ticks: spaces.map(({ ms }) => ms),
    title: 'estimated milliseconds a picture at the edge',
  };
  const y = accuracyAxis(
    spaces.map(({ ms, metrics }): [number, number] => [ms, metrics.accuracyInterval[0]]),
  );
  const drawing = spaces.flatMap((space) => {
    const { accuracy, accuracyInterval } = space.metrics;
    const at = left(x.share(space.ms));
    const [low, high] = accuracyInterval.map((end) => top(y.share(end)));
    const colour = space === chosen ? 'var(--second)' : 'var(--first)';
    return [
      `<line x1="${at}" x2="${at}" y1="${low}" y2="${high}" stroke="${colour}" stroke-width="2"/>`,
      `<circle cx="${at}" cy="${top(y.share(accuracy))}" r="5" fill="${colour}"/>`,
    ];
  });
  const rows = spaces.map((each) => [
    `${spaceName(each)}${each === chosen ? ' (chosen)' : ''}`,
    each.ms.toFixed(1),
    percent(each.metrics.accuracy),
    each.metrics.logLoss.toFixed(3),
    comparison(each),
  ]);
  return html`<section>
    <h2>Backbones and sizes</h2>
    <p class="note">
      Chosen: ${spaceName(chosen)}. ${because} Leave-one-out of linear heads on ${pictures} pictures, with 95
      % intervals; time estimated for ${EDGE_MACHINE}, without decoding.
    </p>
    <div class="chart">
      ${plot(x, y, drawing, 'accuracy against time at the edge', (tick) => tick.toFixed(1))}
    </div>
    ${table(['backbone and size', 'ms', 'accuracy', 'log-loss', 'log-loss above the best'], rows)}
  </section>`;
}
