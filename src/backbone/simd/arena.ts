/** Shares memory among regions that are never in use at the same time. */

export interface Lifetime {
  readonly bytes: number;
  /** Index of the first and of the last step that touches the region. */
  readonly first: number;
  readonly last: number;
}

/** A cache line: no vector straddles two. */
const ALIGNMENT_BYTES = 64;

export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
}

/**
 * Greedy by size (Pisarchyk & Lee 2020, "Efficient memory management for deep neural net inference"): the largest
 * region first, each into the tightest gap between the regions that live at the same time.
 * @returns the offset of each region, and how many bytes all of them span.
 */
export function planArena(regions: readonly Lifetime[]): { offsets: number[]; bytes: number } {
  const order = regions.map((_, index) => index).sort((a, b) => regions[b].bytes - regions[a].bytes || a - b);
  const offsets = regions.map(() => 0);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const region = regions[index];
    const neighbours = placed
      .filter((other) => regions[other].first <= region.last && region.first <= regions[other].last)
      .sort((a, b) => offsets[a] - offsets[b]);
    offsets[index] = tightestGap(region.bytes, neighbours, regions, offsets);
    placed.push(index);
    bytes = Math.max(bytes, offsets[index] + align(region.bytes));
  }
  return { offsets, bytes };
}

function tightestGap(
  bytes: number,
  neighbours: readonly number[],
  regions: readonly Lifetime[],
  offsets: readonly number[],
): number {
  let best: number | undefined;
  let bestGap = Infinity;
  let end = 0;
  for (const neighbour of neighbours) {
    const gap = offsets[neighbour] - end;
    if (gap >= align(bytes) && gap < bestGap) {
      best = end;
      bestGap = gap;
    }
    end = Math.max(end, offsets[neighbour] + align(regions[neighbour].bytes));
  }
  return best ?? end;
}
