/** Plots of the report: two axes in a frame, and what is drawn between them. */
import { html, Html } from './html.ts';

export const WIDTH = 460;
export const HEIGHT = 300;
export const MARGIN = { left: 56, right: 12, top: 12, bottom: 44 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };

export interface Axis {
  /** From a value to a share of the plot, 0 to 1. */
  readonly share: (value: number) => number;
  readonly ticks: readonly number[];
  readonly title: string;
}

function text(at: number, from: number, anchor: 'start' | 'middle' | 'end', content: string | number): Html {
  return html`<text x="${at}" y="${from}" text-anchor="${anchor}" font-size="12" fill="var(--muted)"
    >${content}</text
  >`;
}

export function label(content: string, at: number, from: number): string {
  return text(at, from, 'middle', content).text;
}

export function left(share: number): number {
  return MARGIN.left + share * PLOT.width;
}

export function top(share: number): number {
  return MARGIN.top + (1 - share) * PLOT.height;
}

export function accuracyAxis(points: readonly (readonly [number, number])[]): Axis {
  const low = Math.floor(Math.min(...points.map(([, accuracy]) => accuracy), 1) * 10) / 10;
  const floor = Math.min(low, 0.9);
  const ticks = Array.from({ length: 11 }, (_, i) => i / 10).filter((tick) => tick >= floor - 1e-9);
  return { share: (accuracy) => (accuracy - floor) / (1 - floor), ticks, title: 'accuracy' };
}

export function line(points: readonly (readonly [number, number])[], x: Axis): string {
  const y = accuracyAxis(points);
  const places = points.map(([a, b]) => [left(x.share(a)), top(y.share(b))]);
  const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="4" fill="var(--first)"/>`);
  return `<polyline points="${places.map((place) => place.join(',')).join(' ')}" fill="none" stroke="var(--first)" stroke-width="2"/>${dots.join('')}`;
}

/** @param drawing SVG that is known to be: made of numbers here. Labels that come from outside go through `name`. */
export function plot(
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
