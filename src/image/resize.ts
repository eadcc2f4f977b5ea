/**
 * Squashes a picture to a given size with antialiasing, turning it upright on the way. Pure integer arithmetic, so
 * that every host gives the same bytes.
 *
 * The filter is the triangle (linear interpolation) whose support grows with the ratio when shrinking, as in Pillow's
 * `Image.resize(size, BILINEAR)`: every source pixel counts, none is skipped. The two axes are done one after the
 * other: each source row is squeezed to the target's width, then added into the target rows that it touches, so that
 * working memory depends on the target and on one source row only.
 */
import type { Orientation } from './exif.ts';
import { type Raster, readRowAsRgb } from './raster.ts';

/** Horizontal weights sum to 2²²: 255·2²² still fits 32 bits. */
const HORIZONTAL_BITS = 22;
/** A row squeezed to the target's width keeps 6 bits below the point … */
const ROW_FRACTION_BITS = 6;
/** … which leaves 16 bits for the vertical weights: 255·2⁶·2¹⁶ fits 32 bits. */
const VERTICAL_BITS = 16;

/**
 * For each target index i, `count[i]` weights for the source indices from `start[i]` on, lying in `weight` from
 * `offset[i]` on. The weights of each i sum to exactly 2^bits. Starts and ends never fall as i grows.
 */
export interface Taps {
  readonly start: Int32Array;
  readonly count: Int32Array;
  readonly offset: Int32Array;
  readonly weight: Int32Array;
}

/** @returns triangle-filter taps that take `from` samples to `to` samples (both ≥ 1), weights in units of 2^-bits. */
export function triangleTaps(from: number, to: number, bits: number): Taps {
  const ratio = from / to;
  const radius = Math.max(1, ratio);
  const most = Math.ceil(radius) * 2 + 1;
  const start = new Int32Array(to);
  const count = new Int32Array(to);
  const offset = new Int32Array(to);
  const weight = new Int32Array(to * most);
  const exact = new Float64Array(most);
  let used = 0;
  for (let i = 0; i < to; i++) {
    const centre = (i + 0.5) * ratio;
    const first = Math.max(0, Math.floor(centre - radius + 0.5));
    const end = Math.min(from, Math.floor(centre + radius + 0.5));
    for (let j = first; j < end; j++) {
      exact[j - first] = Math.max(0, 1 - Math.abs((j + 0.5 - centre) / radius));
    }
    start[i] = first;
    count[i] = end - first;
    offset[i] = used;
    quantise(exact.subarray(0, end - first), weight.subarray(used, used + end - first), 2 ** bits);
    used += end - first;
  }
  return { start, count, offset, weight: weight.slice(0, used) };
}

/** Scales `exact` to integers that sum to exactly `total`; the largest takes up what rounding left. */
function quantise(exact: Float64Array, out: Int32Array, total: number): void {
  let sum = 0;
  for (const w of exact) sum += w;
  let left = total;
  let largest = 0;
  for (let k = 0; k < exact.length; k++) {
    out[k] = Math.round((exact[k] / sum) * total);
    left -= out[k];
    if (exact[k] > exact[largest]) largest = k;
  }
  out[largest] += left;
}

/** Squeezes one RGB row (3·width bytes) to the taps' width; `out` gets values 0…255·2⁶. */
function squeezeRow(row: Uint8Array, taps: Taps, out: Int32Array): void {
  const { start, count, offset, weight } = taps;
  const shift = HORIZONTAL_BITS - ROW_FRACTION_BITS;
  const half = 1 << (shift - 1);
  for (let x = 0, to = 0; x < start.length; x++, to += 3) {
    let red = half;
    let green = half;
    let blue = half;
    let at = start[x] * 3;
    const end = offset[x] + count[x];
    for (let k = offset[x]; k < end; k++, at += 3) {
      const w = weight[k];
      red += Math.imul(w, row[at]);
      green += Math.imul(w, row[at + 1]);
      blue += Math.imul(w, row[at + 2]);
    }
    out[to] = red >> shift;
    out[to + 1] = green >> shift;
    out[to + 2] = blue >> shift;
  }
}

/** Where the pixel (x, y) of the stored picture goes in the upright one: origin + x·perX + y·perY, in pixels. */
interface Placement {
  readonly origin: number;
  readonly perX: number;
  readonly perY: number;
}

/** EXIF orientation as index arithmetic, for an upright picture of width × height (CIPA DC-008, tag 0x0112). */
function placement(orientation: Orientation, width: number, height: number): Placement {
  const right = width - 1;
  const bottom = (height - 1) * width;
  const all: Record<Orientation, Placement> = {
    1: { origin: 0, perX: 1, perY: width },
    2: { origin: right, perX: -1, perY: width },
    3: { origin: bottom + right, perX: -1, perY: -width },
    4: { origin: bottom, perX: 1, perY: -width },
    5: { origin: 0, perX: width, perY: 1 },
    6: { origin: right, perX: width, perY: -1 },
    7: { origin: bottom + right, perX: -width, perY: -1 },
    8: { origin: bottom, perX: -width, perY: 1 },
  };
  return all[orientation];
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Takes a picture row by row from the top. */
export interface Resizer {
  /** @param row the next row as stored, 3 × source width bytes of RGB; not kept. */
  push(row: Uint8Array): void;
  /** To be called once after the last row. @returns size.height × size.width × 3 bytes, RGB, upright. */
  finish(): Uint8Array;
}

/**
 * @param source sides of the picture as stored.
 * @param orientation EXIF orientation of the stored picture; 5–8 swap its sides.
 * @param size of the upright result; the aspect ratio is ignored.
 */
export function createResizer(source: Size, orientation: Orientation, size: Size): Resizer {
  const turned = orientation >= 5;
  const columns = turned ? size.height : size.width;
  const rows = turned ? size.width : size.height;
  const across = triangleTaps(source.width, columns, HORIZONTAL_BITS);
  const down = triangleTaps(source.height, rows, VERTICAL_BITS);
  const squeezed = new Int32Array(3 * columns);
  const sums = new Int32Array(3 * columns * rows);
  let firstOpen = 0;
  let y = 0;
  return {
    push(row) {
      while (firstOpen < rows && down.start[firstOpen] + down.count[firstOpen] <= y) firstOpen++;
      squeezeRow(row, across, squeezed);
      for (let t = firstOpen; t < rows && down.start[t] <= y; t++) {
        const weight = down.weight[down.offset[t] + y - down.start[t]];
        addRow(sums, t * squeezed.length, squeezed, weight);
      }
      y++;
    },
    finish: () => place(sums, columns, rows, placement(orientation, size.width, size.height)),
  };
}

function addRow(sums: Int32Array, base: number, row: Int32Array, weight: number): void {
  for (let i = 0; i < row.length; i++) sums[base + i] += Math.imul(weight, row[i]);
}

/**
 * Resizes a whole picture.
 *
 * @param source any layout; transparency is blended over white before filtering, so that hidden colours don't bleed.
 * @returns size.height × size.width × 3 bytes, RGB, rows from the top, upright.
 */
export function resize(source: Raster, orientation: Orientation, size: Size): Uint8Array {
  const resizer = createResizer(source, orientation, size);
  const row = new Uint8Array(3 * source.width);
  for (let y = 0; y < source.height; y++) {
    readRowAsRgb(source, y, row);
    resizer.push(row);
  }
  return resizer.finish();
}

/** Rounds the finished sums to bytes and writes each pixel where the orientation wants it. */
function place(
  sums: Int32Array,
  columns: number,
  rows: number,
  { origin, perX, perY }: Placement,
): Uint8Array {
  const shift = VERTICAL_BITS + ROW_FRACTION_BITS;
  const half = 1 << (shift - 1);
  const out = new Uint8Array(sums.length);
  for (let y = 0, at = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++, at += 3) {
      const to = 3 * (origin + x * perX + y * perY);
      out[to] = (sums[at] + half) >> shift;
      out[to + 1] = (sums[at + 1] + half) >> shift;
      out[to + 2] = (sums[at + 2] + half) >> shift;
    }
  }
  return out;
}
