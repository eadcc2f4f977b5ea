/** Sections of the report about how deep to transfer: the map, accuracy by tap, the learning curve, what was tried. */
import { heldOutText } from '../../src/head/index.ts';
import { byteSize } from '../files.ts';
import { percent } from '../evaluation/metrics-text.ts';
import type { Candidate, Choice } from '../strategy/candidates.ts';
import type { TapMetrics } from '../strategy/linear/linear.ts';
import { MUCH, type Situation } from '../strategy/situation.ts';
import { html, table, type Html } from './html.ts';
import { accuracyAxis, HEIGHT, label, left, line, MARGIN, plot, top, WIDTH, type Axis } from './plot.ts';

/** Where the data set lies, with the strategy that each quadrant of the map suggests. */
export function mapSection({ perClass, similarity, size, likeness, differentFrom }: Situation): Html {
  const x: Axis = {
    share: (distance) => Math.min(distance / 0.5, 1),
    ticks: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
    title: 'batch-norm distance: similar to the left, different to the right',
  };
  const y: Axis = {
    share: (count) => Math.min(Math.max(Math.log10(count) / 3, 0), 1),
    ticks: [1, 10, 100, 1000],
    title: 'pictures a class',
  };
  const [column, row] = [left(x.share(differentFrom)), top(y.share(MUCH.perClass))];
  const [leftMiddle, rightMiddle] = [(MARGIN.left + column) / 2, (column + WIDTH - MARGIN.right) / 2];
  const drawing = [
    `<line x1="${column}" x2="${column}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" stroke="var(--muted)" stroke-dasharray="4 4"/>`,
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${row}" y2="${row}" stroke="var(--muted)" stroke-dasharray="4 4"/>`,
    label('fine-tune', leftMiddle, MARGIN.top + 20),
    label('full', rightMiddle, MARGIN.top + 20),
    label('linear, deep codes', leftMiddle, HEIGHT - MARGIN.bottom - 10),
    label('linear, shallower codes', rightMiddle, HEIGHT - MARGIN.bottom - 10),
    ...(similarity === undefined
      ? []
      : [
          `<circle cx="${left(x.share(similarity.distance))}" cy="${top(y.share(perClass))}" r="7" fill="var(--second)"/>`,
        ]),
  ];
  return html`<section>
    <h2>Where the data lies</h2>
    <p class="note">
      ${size}, ${likeness}: ${perClass.toFixed(0)} pictures a class, distance
      ${similarity === undefined ? 'unknown' : similarity.distance.toFixed(2)}.
    </p>
    <div class="chart">${plot(x, y, drawing, 'map of size and similarity')}</div>
  </section>`;
}

/** Held-out accuracy of a head on each tap alone, from shallow to deep. */
export function tapsSection(taps: readonly TapMetrics[]): Html {
  const points = taps.map(({ accuracy }, i): [number, number] => [i, accuracy]);
  const x: Axis = {
    share: (i) => (taps.length > 1 ? i / (taps.length - 1) : 0.5),
    ticks: taps.map((_, i) => i),
    title: 'tap, from shallow to deep',
  };
  return html`<section>
    <h2>Accuracy by tap</h2>
    <p class="note">
      Of a head on each tap alone, over pictures held out:
      ${taps.map(({ tap, accuracy }) => `${tap} ${percent(accuracy)}`).join(', ')}.
    </p>
    <div class="chart">
      ${plot(x, accuracyAxis(points), [line(points, x)], 'accuracy by tap', (i) => taps[i].tap)}
    </div>
  </section>`;
}

export interface CurvePoint {
  readonly perClass: number;
  readonly accuracy: number;
}

/** How accuracy grows with the number of pictures: whether more of them would help. */
export function curveSection(curve: readonly CurvePoint[]): Html {
  const counts = curve.map(({ perClass }) => perClass);
  const most = Math.max(...counts, 2);
  const x: Axis = {
    share: (count) => Math.log(Math.max(count, 1)) / Math.log(most),
    ticks: counts.map(Math.round),
    title: 'pictures a class',
  };
  const points = curve.map(({ perClass, accuracy }): [number, number] => [perClass, accuracy]);
  return html`<section>
    <h2>Learning curve</h2>
    <p class="note">Held-out accuracy of a linear head on all taps, trained on a part of the pictures.</p>
    <div class="chart">${plot(x, accuracyAxis(points), [line(points, x)], 'learning curve')}</div>
  </section>`;
}

export function strategiesSection(tried: readonly Candidate[], choice: Choice): Html {
  const rows = tried.map((each) => [
    each === choice.chosen ? `${each.strategy} (chosen)` : each.strategy,
    heldOutText(each.folds),
    each.metrics.logLoss.toFixed(3),
    percent(each.metrics.accuracy),
    `+${each.cost.ms.toFixed(1)} ms`,
    byteSize(each.cost.bytes),
  ]);
  return html`<section>
    <h2>What was tried</h2>
    <p class="note">${choice.because}</p>
    ${table(['strategy', 'held out by', 'log-loss', 'accuracy', 'at the edge', 'head'], rows)}
  </section>`;
}
