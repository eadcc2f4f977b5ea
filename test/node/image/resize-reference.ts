/** What the resizing kernel must give byte for byte, in plain integers: a row at a time, one sample after the other. */
import type { Orientation } from '../../../src/image/exif.ts';
import { bytesPerPixel, type Raster, type Size } from '../../../src/image/pixels/raster.ts';
import { type Taps, triangleTaps } from '../../../src/image/pixels/triangle.ts';

const HORIZONTAL_BITS = 22;
const ROW_FRACTION_BITS = 6;
const VERTICAL_BITS = 16;

/** @returns size.height × size.width × 3 bytes, RGB, rows from the top, upright. */
export function resizeInPlainIntegers(source: Raster, orientation: Orientation, size: Size): Uint8Array {
  const turned = orientation >= 5;
  const columns = turned ? size.height : size.width;
  const rows = turned ? size.width : size.height;
  const across = triangleTaps(source.width, columns, HORIZONTAL_BITS, source.covered?.width);
  const down = triangleTaps(source.height, rows, VERTICAL_BITS, source.covered?.height);
  const row = new Uint8Array(3 * source.width);
  const squeezed = new Int32Array(3 * columns);
  const sums = new Int32Array(3 * columns * rows);
  for (let y = 0; y < source.height; y++) {
    readRowAsRgb(source, y, row);
    squeezeRow(row, across, squeezed);
    for (let t = 0; t < rows; t++) {
      const k = y - down.start[t];
      if (k >= 0 && k < down.count[t])
        addRow(sums, t * squeezed.length, squeezed, down.weight[down.offset[t] + k]);
    }
  }
  return place(sums, columns, rows, placement(orientation, size.width, size.height));
}

function addRow(sums: Int32Array, base: number, row: Int32Array, weight: number): void {
  for (let i = 0; i < row.length; i++) sums[base + i] += Math.imul(weight, row[i]);
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

/** round(v / 255) for 0 ≤ v ≤ 255², exactly, in integers. */
function divideBy255(v: number): number {
  return ((v + 128) * 257) >>> 16;
}

/**
 * Writes row `y` as RGB into `row` (length ≥ 3·width): transparency is blended over white, CMYK multiplied out
 * (R = C·K / 255 on inverted inks, the common conversion without a colour profile).
 */
export function readRowAsRgb(raster: Raster, y: number, row: Uint8Array): void {
  const { data, width, layout } = raster;
  let at = y * width * bytesPerPixel(layout);
  if (layout === 'rgb') {
    row.set(data.subarray(at, at + 3 * width));
    return;
  }
  for (let to = 0; to < 3 * width; to += 3, at += 4) {
    const last = data[at + 3];
    const veil = layout === 'rgba' ? 255 * (255 - last) : 0;
    if (last === 255) {
      row[to] = data[at];
      row[to + 1] = data[at + 1];
      row[to + 2] = data[at + 2];
    } else {
      row[to] = divideBy255(data[at] * last + veil);
      row[to + 1] = divideBy255(data[at + 1] * last + veil);
      row[to + 2] = divideBy255(data[at + 2] * last + veil);
    }
  }
}
