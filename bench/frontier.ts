/** Points of accuracy against cost, and which of them are worth it. */

export interface Point {
  readonly name: string;
  /** Fractions of the test pictures of each set, and their mean. */
  readonly accuracies: readonly number[];
  readonly mean: number;
  /** A JPEG to a CNN code. */
  readonly cpuMs: number;
}

/** @returns the points than which none is both cheaper and as accurate. */
export function onFrontier(points: readonly Point[]): Point[] {
  const beats = (a: Point, b: Point): boolean =>
    a.cpuMs <= b.cpuMs && a.mean >= b.mean && (a.cpuMs < b.cpuMs || a.mean > b.mean);
  return points.filter((point) => !points.some((other) => beats(other, point)));
}
