/**
 * Memory of the resizing kernel (resize.as.ts): where things lie for a picture and a result of given sizes, and the
 * tables of weights. It grows with the picture's width and with the result; of the height only the table depends.
 */
import type { Size } from './raster.ts';
import { type Taps, triangleTaps } from './triangle.ts';

/** Horizontal weights sum to 2²²: 255·2²² still fits 32 bits. A squeezed row keeps 6 bits below the point … */
const HORIZONTAL_BITS = 22;
/** … which leaves 16 for the vertical weights: 255·2⁶·2¹⁶ fits 32 bits. */
const VERTICAL_BITS = 16;
/** The horizontal pass multiplies 16-bit words, so that its weights come as a high part and these low bits. */
const LOW_BITS = 11;
/** Of the kernel's classes Job and Span. */
const JOB_WORDS = 20;
const SPAN_WORDS = 3;
/** Result rows are worked on so many bytes at once; everything starts at a multiple of it. */
const ALIGNMENT = 64;
/** What may be read or written beyond the end of a row. */
const SLACK_BYTES = 16;
/** Rows come in blocks of about this size: few calls, and a block is still in the cache when its turn comes. */
const BLOCK_BYTES = 32_768;
const MOST_BYTES_PER_PIXEL = 4;

/** Where the pixel (x, y) of the stored picture goes in the upright one: origin + x·perX + y·perY, in pixels. */
export interface Placement {
  readonly origin: number;
  readonly perX: number;
  readonly perY: number;
}

/** All that weights and addresses depend on. */
export interface JobSizes {
  readonly source: Size;
  /** How much of the source's columns and rows the picture covers, see RasterShape. */
  readonly covered: Size;
  /** The result's before it is turned. */
  readonly target: Size;
}

export interface Job {
  readonly sizes: JobSizes;
  /** Addresses: of the kernel's fields, of the rows that are pushed, of the result, and of the end of it all. */
  readonly at: {
    readonly job: number;
    readonly input: number;
    readonly output: number;
    readonly end: number;
  };
  /** How much fits at `at.input`, at least one row. */
  readonly inputBytes: number;
  /** Fills the fields of the kernel's class Job in their order. */
  readonly fields: (layout: number, placement: Placement) => readonly number[];
}

/** What lies in memory from the first row to the last, by addresses. */
type Tables = ReadonlyMap<number, Int32Array | Int16Array>;

/**
 * @param from the first address that is free.
 * @returns where everything lies, and the tables, which aren't needed any more when they lie there.
 */
export function planJob(sizes: JobSizes, from: number): { readonly job: Job; readonly tables: Tables } {
  const { source, covered, target } = sizes;
  const { width: columns, height: rows } = target;
  const across = triangleTaps(source.width, columns, HORIZONTAL_BITS, covered.width);
  const down = triangleTaps(source.height, rows, VERTICAL_BITS, covered.height);
  const quads = Math.ceil(across.count.reduce((most, count) => Math.max(most, count), 0) / 4);
  const slots = countSlots(down);
  const lineBytes = roundUp(3 * 4 * columns);
  const inputBytes = Math.max(BLOCK_BYTES, MOST_BYTES_PER_PIXEL * source.width);
  // A column's last taps may have no weight and lie beyond the row.
  const beyond = 12 * quads + SLACK_BYTES;
  const at = layOut(from, {
    job: 4 * JOB_WORDS,
    starts: 4 * columns,
    across: 16 * quads * columns,
    spans: 4 * SPAN_WORDS * rows,
    down: 4 * down.weight.length,
    squeezed: lineBytes + SLACK_BYTES,
    sums: slots * lineBytes,
    line: lineBytes / 4,
    converted: 3 * source.width + beyond,
    input: inputBytes + beyond,
    output: 3 * columns * rows,
    end: 0,
  });
  const tables = new Map<number, Int32Array | Int16Array>([
    [at.starts, across.start.map((pixel) => 3 * pixel)],
    [at.across, splitWeights(across, quads)],
    [at.spans, spansOf(down, at.down)],
    [at.down, down.weight],
  ]);
  const fields: Job['fields'] = (layout, { origin, perX, perY }) => {
    const stored = [source.width, layout, at.input, at.converted];
    const wide = [columns, rows, at.starts, at.across, quads, at.squeezed];
    const high = [at.spans, at.sums, slots, lineBytes, at.line];
    const place = [at.output + 3 * origin, 3 * perX, 3 * perY];
    const done = [0, 0];
    return [...stored, ...wide, ...high, ...place, ...done];
  };
  return { job: { sizes, at, inputBytes, fields }, tables };
}

/** @returns the address of each region of so many bytes. Nothing lies at address 0. */
function layOut<Name extends string>(
  from: number,
  bytes: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const at: Record<Name, number> = { ...bytes };
  let next = Math.max(ALIGNMENT, from);
  for (const name in bytes) {
    at[name] = next;
    next += roundUp(bytes[name]);
  }
  return at;
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** @returns how many rows of the result are being summed up at once, at most. */
function countSlots({ start, count }: Taps): number {
  let most = 1;
  for (let t = 0, open = 0; t < start.length; t++) {
    while (start[open] + count[open] <= start[t]) open++;
    most = Math.max(most, t - open + 1);
  }
  return most;
}

/** i16[columns][quads][2][2][2]: of two and two samples the low parts of their weights, then the high ones. */
function splitWeights({ start, count, offset, weight }: Taps, quads: number): Int16Array {
  const split = new Int16Array(8 * quads * start.length);
  for (let x = 0; x < start.length; x++) {
    for (let k = 0; k < count[x]; k++) {
      const w = weight[offset[x] + k];
      const at = 8 * x * quads + 4 * (k >> 1) + (k & 1);
      split[at] = w & ((1 << LOW_BITS) - 1);
      split[at + 2] = w >> LOW_BITS;
    }
  }
  return split;
}

/** Of each row of the result, the picture's rows that count, and the address of their weights. */
function spansOf({ start, count, offset }: Taps, weights: number): Int32Array {
  const spans = new Int32Array(SPAN_WORDS * start.length);
  for (let t = 0; t < start.length; t++)
    spans.set([start[t], start[t] + count[t], weights + 4 * offset[t]], SPAN_WORDS * t);
  return spans;
}
