/**
 * Squeezes pictures to the size that a backbone wants, row by row: the arithmetic of resize.ts, which lays
 * memory out, fills in the weights and says what they are. Nothing is allocated here.
 */
import { addLine, finishLine, startLine } from './column.as';
import { squeeze } from './row.as';
import { overWhite, multiplyOut } from './samples.as';

/** Layouts of the samples that the host pushes, as in resize.ts. */
const RGB: i32 = 0;
const RGBA: i32 = 1;

/** One picture, and how far it has come. Addresses and counts, 32 bits each, written by the host. */
@unmanaged
class Job {
  /** Of the picture as stored. */
  width: i32;
  layout: i32;
  /** Rows of the picture, as pushed; 12 · quads + 16 bytes more may be read, of which nothing counts. */
  input: usize;
  /** u8[width][3]: a row whose layout is another, as RGB. */
  converted: usize;
  /** Of the result, before it is turned. */
  columns: i32;
  rows: i32;
  /** i32[columns]: where the first sample lies that counts, in bytes from the start of its row. */
  starts: usize;
  /** i16[columns][quads][2][2][2]: of two and two samples the low parts of their weights, then the high ones. */
  across: usize;
  quads: i32;
  /** i32[columns][3] and up to 15 more: the current row. */
  squeezed: usize;
  /** Span[rows]: which rows of the picture count. */
  spans: usize;
  /** i32[slots][lineBytes / 4]: the rows of the result that are being summed up. */
  sums: usize;
  slots: i32;
  lineBytes: i32;
  /** u8[lineBytes / 4]: a row of the result, before its pixels go to their places. */
  line: usize;
  /** Address of the result's first pixel, and the steps in bytes from a column and from a row to the next. */
  output: usize;
  perColumn: i32;
  perRow: i32;
  /** Rows of the picture that have come. */
  y: i32;
  /** The first row of the result that is not finished. */
  open: i32;
}

@unmanaged
class Span {
  first: i32;
  end: i32;
  /** i32[end − first] */
  weights: usize;
}

@inline
function spanOf(job: Job, row: i32): Span {
  return changetype<Span>(job.spans + row * offsetof<Span>());
}

/** Takes the next `count` rows, which lie at `input`. */
export function push(job: Job, count: i32): void {
  const rowBytes = job.width * (job.layout == RGB ? 3 : 4);
  let row = job.input;
  for (let i = 0; i < count; i++, row += rowBytes) {
    squeeze(asRgb(job, row), job.starts, job.across, job.columns, job.quads, job.squeezed);
    spread(job);
    job.y++;
  }
}

function asRgb(job: Job, row: usize): usize {
  if (job.layout == RGB) return row;
  if (job.layout == RGBA) overWhite(row, job.converted, job.width);
  else multiplyOut(row, job.converted, job.width);
  return job.converted;
}

/** Adds the squeezed row to all rows of the result in which it counts, and writes those that it is the last of. */
function spread(job: Job): void {
  for (let t = job.open; t < job.rows; t++) {
    const span = spanOf(job, t);
    if (span.first > job.y) return;
    const sums = job.sums + (t % job.slots) * job.lineBytes;
    const weight = load<i32>(span.weights + ((job.y - span.first) << 2));
    if (job.y == span.first) startLine(job.squeezed, weight, sums, job.lineBytes);
    else addLine(job.squeezed, weight, sums, job.lineBytes);
    if (job.y + 1 < span.end) continue;
    finishLine(sums, job.line, job.lineBytes);
    place(job, t);
    job.open = t + 1;
  }
}

/** Writes a finished row where the orientation wants it. */
function place(job: Job, row: i32): void {
  let to = job.output + row * job.perRow;
  if (job.perColumn == 3) {
    memory.copy(to, job.line, job.columns * 3);
    return;
  }
  for (let from = job.line, end = from + job.columns * 3; from < end; from += 3, to += job.perColumn) {
    store<u16>(to, load<u16>(from));
    store<u8>(to, load<u8>(from, 2), 2);
  }
}
