/** Sections of the report about how deep to transfer: the map, accuracy by tap, the learning curve, what was tried. */
import { byteSize } from '../files.ts';
import { percent } from '../figures-text.ts';
import type { Candidate, Choice } from '../strategy/candidates.ts';
import type { TapFigures } from '../strategy/linear.ts';
import type { Situation } from '../strategy/situation.ts';
import { DIFFERENT_FROM, MUCH } from '../strategy/situation.ts';
import { html, Html } from './html.ts';

const WIDTH = 460;
const HEIGHT = 300;
const MARGIN = { left: 56, right: 12, top: 12, bottom: 44 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };

interface Axis {
  /** From a value to a share of the plot, 0 to 1. */
  readonly share: (value: number) => number;
  readonly ticks: readonly number[];
  readonly title: string;
}

/** Where the data set lies, with the strategy that each quadrant of the map suggests. */
export function mapSection({ perClass, similarity, size, likeness }: Situation): Html {
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
  const [column, row] = [left(x.share(DIFFERENT_FROM)), top(y.share(MUCH.perClass))];
  const [leftMiddle, rightMiddle] = [(MARGIN.left + column) / 2, (column + WIDTH - MARGIN.right) / 2];
  const drawing = [
    `<line x1="${column}" x2="${column}" y1="${MARGIN.top}" y2="${HEIGHT - MARGIN.bottom}" stroke="var(--muted)" stroke-dasharray="4 4"/>`,
    `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${row}" y2="${row}" stroke="var(--muted)" stroke-dasharray="4 4"/>`,
    label('fine-tune', leftMiddle, MARGIN.top + 20),
    label('full', rightMiddle, MARGIN.top + 20),
    label('linear, deep codes', leftMiddle, HEIGHT - MARGIN.bottom - 10),
    label('linear, shallower codes', rightMiddle, HEIGHT - MARGIN.bottom - 10),
    `<circle cx="${left(x.share(similarity.distance))}" cy="${top(y.share(perClass))}" r="7" fill="var(--second)"/>`,
  ];
  return html`<section>
    <h2>Where the data lies</h2>
    <p class="note">
      ${size}, ${likeness}: ${perClass.toFixed(0)} pictures a class, distance
      ${similarity.distance.toFixed(2)}.
    </p>
    <div class="chart">${plot(x, y, drawing, 'map of size and similarity')}</div>
  </section>`;
}

/** Held-out accuracy of a head on each tap alone, from shallow to deep. */
export function tapsSection(taps: readonly TapFigures[]): Html {
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
  const rows = tried.map((each) => {
    const name = each === choice.chosen ? `${each.strategy} (chosen)` : each.strategy;
    return html`<tr>
      <td>${name}</td>
      <td>${each.method}</td>
      <td>${each.figures.logLoss.toFixed(3)}</td>
      <td>${percent(each.figures.accuracy)}</td>
      <td>+${each.cost.ms.toFixed(1)} ms</td>
      <td>${byteSize(each.cost.bytes)}</td>
    </tr>`;
  });
  return html`<section>
    <h2>What was tried</h2>
    <p class="note">${choice.because}</p>
    <table>
      <thead>
        <tr>
          <th>strategy</th>
          <th>held out by</th>
          <th>log-loss</th>
          <th>accuracy</th>
          <th>at the edge</th>
          <th>head</th>
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </section>`;
}

function text(at: number, from: number, anchor: 'start' | 'middle' | 'end', content: string | number): Html {
  return html`<text x="${at}" y="${from}" text-anchor="${anchor}" font-size="12" fill="var(--muted)"
    >${content}</text
  >`;
}

function label(content: string, at: number, from: number): string {
  return text(at, from, 'middle', content).text;
}

function left(share: number): number {
  return MARGIN.left + share * PLOT.width;
}

function top(share: number): number {
  return MARGIN.top + (1 - share) * PLOT.height;
}

function accuracyAxis(points: readonly (readonly [number, number])[]): Axis {
  const low = Math.floor(Math.min(...points.map(([, accuracy]) => accuracy), 1) * 10) / 10;
  const floor = Math.min(low, 0.9);
  const ticks = Array.from({ length: 11 }, (_, i) => i / 10).filter((tick) => tick >= floor - 1e-9);
  return { share: (accuracy) => (accuracy - floor) / (1 - floor), ticks, title: 'accuracy' };
}

function line(points: readonly (readonly [number, number])[], x: Axis): string {
  const y = accuracyAxis(points);
  const places = points.map(([a, b]) => [left(x.share(a)), top(y.share(b))]);
  const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="4" fill="var(--first)"/>`);
  return `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="var(--first)" stroke-width="2"/>${dots.join('')}`;
}

/** @param drawing SVG that is known to be: made of numbers here. Labels that come from outside go through `name`. */
function plot(
  x: Axis,
  y: Axis,
  drawing: readonly string[],
  title: string,
  name: (tick: number) => string = String,
): Html {
  const base = HEIGHT - MARGIN.bottom;
  const columns = x.ticks.map((tick) => text(left(x.share(tick)), base + 16, 'middle', name(tick)));
  const rows = y.ticks.map((tick) => text(MARGIN.left - 8, top(y.share(tick)) + 4, 'end', tick));
  return html`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">
    <rect
      x="${MARGIN.left}"
      y="${MARGIN.top}"
      width="${PLOT.width}"
      height="${PLOT.height}"
      fill="none"
      stroke="var(--line)"
    />
    ${columns} ${rows} ${text(MARGIN.left + PLOT.width / 2, HEIGHT - 8, 'middle', x.title)}
    ${text(MARGIN.left + 6, MARGIN.top + 14, 'start', y.title === 'accuracy' ? '' : y.title)}
    ${new Html(drawing.join(''))}
  </svg>`;
}
