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
 * region first, each into the first gap between the regions that live at the same time.
 * @returns the offset of each region, and how many bytes all of them span.
 */
export function planArena(regions: readonly Lifetime[]): { offsets: number[]; bytes: number } {
  const order = regions.map((_, index) => index).sort((a, b) => regions[b].bytes - regions[a].bytes || a - b);
  const offsets = regions.map(() => 0);
  const placed: number[] = [];
  let bytes = 0;
  for (const index of order) {
    const { first, last, bytes: size } = regions[index];
    let offset = 0;
    for (const other of placed) {
      if (regions[other].first > last || first > regions[other].last) continue;
      if (offset + align(size) <= offsets[other]) break;
      offset = Math.max(offset, offsets[other] + align(regions[other].bytes));
    }
    offsets[index] = offset;
    placed.push(index);
    placed.sort((a, b) => offsets[a] - offsets[b]);
    bytes = Math.max(bytes, offset + align(size));
  }
  return { offsets, bytes };
}
