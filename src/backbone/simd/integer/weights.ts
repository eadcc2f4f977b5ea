/**
 * Weights as integers: of each output channel in a unit of its own, the smallest in which no sum overflows, whatever the
 * picture. docs/engine.md writes the arithmetic down.
 */
import { inSinglePrecision } from '../../../safetensors.ts';
import type { Filter } from '../kernels/filter.ts';
import { unsupported, type Codes } from './codes.ts';

export interface Ends {
  /** Of what is read. */
  readonly input: Codes;
  /** Of what is written. */
  readonly output: Codes;
  /** Of what is added before rounding. */
  readonly other?: Codes | undefined;
}

/** By output channel. */
export interface Units {
  /** What one is worth. */
  readonly units: Float64Array;
  /** What the weights' magnitudes come to, in numbers. */
  readonly magnitudes: Float64Array;
}

/** What a kernel with sums of 32 bits needs besides weights, by output channel. */
export interface SumTables {
  /** What sums begin with. */
  readonly starts: Int32Array;
  /** What a sum's unit is worth in units of the output. */
  readonly factors: Float32Array;
}

const INT8_MAX = 127;
const INT16_MAX = 32_767;
/** Channels that a kernel may sum up in 16 bits: of each word of four, two and two apart. */
const GROUP = 8;
/** Magnitudes of like sign that such a sum may hold: 127 · 258 fits 16 bits. Rounding moves each of its four by a half. */
const MOST_IN_GROUP = 256;
/** Of a sum of 31 bits, what products may take, and what the bias may. */
const MOST_IN_SUM = 2 ** 30;
const MOST_BIAS = 2 ** 29;
/** Where rounding by addition ends. */
const MOST_ROUNDED = 2 ** 22;
/** Adding this to a double and taking it off again leaves the nearest integer, of two as near the even one. */
const ROUNDER = 1.5 * 2 ** 52;

export function convUnits8(filter: Filter, input: Codes): Units {
  const { largest, grouped, magnitudes } = greatest(filter);
  const least = (o: number): number => Math.max(largest[o] / INT8_MAX, grouped[o] / MOST_IN_GROUP);
  return { units: unitsOf(filter, input, least), magnitudes };
}

/** For a convolution or a depthwise one of 16 bits, and the one that reads the picture. */
export function convUnits16(filter: Filter, input: Codes): Units {
  const { largest, magnitudes } = greatest(filter);
  const most = MOST_IN_SUM / input.top;
  const least = (o: number): number => Math.max(largest[o] / INT16_MAX, magnitudes[o] / most);
  return { units: unitsOf(filter, input, least), magnitudes };
}

/** @param least the smallest unit of an output's weights. */
function unitsOf(filter: Filter, input: Codes, least: (output: number) => number): Float64Array {
  return Float64Array.from(filter.bias, (bias, output) => {
    // Weights may all be zero.
    return Math.max(least(output), Math.abs(bias) / (input.unit * MOST_BIAS)) || 1;
  });
}

/**
 * @param target gets the weights in units, in the filter's own order.
 * @returns their sums, by output.
 */
export function toIntegers(
  { weights, outputs }: Filter,
  units: Float64Array,
  target: Int8Array | Int16Array,
): Int32Array {
  const values = inSinglePrecision(weights);
  const inverses = units.map((unit) => 1 / unit);
  const sums = new Int32Array(outputs);
  for (let i = 0; i < values.length; i += outputs) {
    for (let o = 0; o < outputs; o++) {
      const weight = values[i + o] * inverses[o] + ROUNDER - ROUNDER;
      target[i + o] = weight;
      sums[o] += weight;
    }
  }
  return sums;
}

/** The same of 8 bits in the order of the convolution's kernels, [outputs / 8][rows in the given order / word][8][word]. */
export function toPackedIntegers(
  { weights, outputs }: Filter,
  units: Float64Array,
  { rows, word }: { rows: Int32Array; word: number },
  target: Int8Array,
): Int32Array {
  // A plain loop that writes four weights at once: there are millions, and an isolate that starts hasn't compiled it yet.
  const values = inSinglePrecision(weights);
  const words = new Int32Array(target.buffer, target.byteOffset, target.length / 4);
  const halves = new Int16Array(target.buffer, target.byteOffset, target.length / 2);
  const inverses = units.map((unit) => 1 / unit);
  const sums = new Int32Array(outputs);
  for (let place = 0; place < rows.length; place += 4) {
    const [r0, r1, r2, r3] = [rows[place], rows[place + 1], rows[place + 2], rows[place + 3]];
    // Channels that fill up read any row, times nothing.
    const [k0, k1, k2, k3] = [r0 < 0 ? 0 : 1, r1 < 0 ? 0 : 1, r2 < 0 ? 0 : 1, r3 < 0 ? 0 : 1];
    const [b0, b1, b2, b3] = [r0 * k0 * outputs, r1 * k1 * outputs, r2 * k2 * outputs, r3 * k3 * outputs];
    for (let o = 0; o < outputs; o++) {
      const inverse = inverses[o];
      const w0 = (values[b0 + o] * k0 * inverse + ROUNDER - ROUNDER) | 0;
      const w1 = (values[b1 + o] * k1 * inverse + ROUNDER - ROUNDER) | 0;
      const w2 = (values[b2 + o] * k2 * inverse + ROUNDER - ROUNDER) | 0;
      const w3 = (values[b3 + o] * k3 * inverse + ROUNDER - ROUNDER) | 0;
      sums[o] += w0 + w1 + w2 + w3;
      const low = (w0 & 255) | ((w1 & 255) << 8);
      const high = (w2 & 255) | (w3 << 8);
      const lane = o & 7;
      const at = ((o - lane) * rows.length + place * 8) >> 2;
      if (word === 4) words[at + lane] = (low & 0xffff) | (high << 16);
      else {
        halves[at * 2 + lane] = low;
        halves[at * 2 + 8 + lane] = high;
      }
    }
  }
  return sums;
}

/**
 * @param sums of the integer weights.
 * @throws HeadwaterError `backbone_invalid` where a sum could be more than 32 bits or rounding hold.
 */
export function sumTables(
  step: string,
  { bias, outputs, weights }: Filter,
  { input, output, other }: Ends,
  { units, magnitudes }: Units,
  sums: Int32Array,
): SumTables {
  const [starts, factors] = [new Int32Array(outputs), new Float32Array(outputs)];
  for (let o = 0; o < outputs; o++) {
    const unit = input.unit * units[o];
    factors[o] = unit / output.unit;
    const otherZero = other === undefined ? 0 : (other.zero * other.unit) / unit;
    const shift = Math.round(bias[o] / unit) - Math.round(otherZero);
    const most = (magnitudes[o] / units[o] + weights.length / outputs / 2) * input.top + Math.abs(shift);
    const added = other === undefined ? 0 : (other.top * other.unit) / output.unit;
    if (most >= 2 ** 31 || most * factors[o] + added >= MOST_ROUNDED) {
      throw unsupported(step, `the range of its output is too narrow for channel ${o}`);
    }
    starts[o] = shift - input.zero * sums[o];
  }
  return { starts, factors };
}

interface Greatest {
  readonly largest: Float64Array;
  /** The most that the weights of like sign in a group's half come to. */
  readonly grouped: Float64Array;
  readonly magnitudes: Float64Array;
}

/** By output, of the weights' magnitudes. Half a group is four rows, of each four channels the first or last two. */
function greatest({ weights, inputs, outputs }: Filter): Greatest {
  const values = inSinglePrecision(weights);
  const made = {
    largest: new Float64Array(outputs),
    grouped: new Float64Array(outputs),
    magnitudes: new Float64Array(outputs),
  };
  // Rows beyond the last channel are those of zeros.
  const zeros = new Float32Array(outputs);
  for (let tap = 0; tap < values.length; tap += inputs * outputs) {
    for (let first = 0; first < inputs; first += GROUP) {
      for (const half of [0, 2]) {
        const rows = [0, 1, 4, 5].map((row) => {
          const channel = first + half + row;
          const from = tap + channel * outputs;
          return channel < inputs ? values.subarray(from, from + outputs) : zeros;
        });
        addHalf(rows, made);
      }
    }
  }
  return made;
}

/** Over four rows at once, one word a name: destructuring would take longer than all else until this is compiled. */
function addHalf(
  [r0, r1, r2, r3]: readonly Float32Array[],
  { largest, grouped, magnitudes }: Greatest,
): void {
  for (let o = 0; o < r0.length; o++) {
    const w0 = r0[o];
    const w1 = r1[o];
    const w2 = r2[o];
    const w3 = r3[o];
    const sum = w0 + w1 + w2 + w3;
    const m0 = w0 < 0 ? -w0 : w0;
    const m1 = w1 < 0 ? -w1 : w1;
    const m2 = w2 < 0 ? -w2 : w2;
    const m3 = w3 < 0 ? -w3 : w3;
    const size = m0 + m1 + m2 + m3;
    magnitudes[o] += size;
    // What is positive comes to half of the sum of both, and what is negative to half of the difference.
    const most = sum < 0 ? (size - sum) / 2 : (size + sum) / 2;
    if (most > grouped[o]) grouped[o] = most;
    const low = m0 > m1 ? m0 : m1;
    const high = m2 > m3 ? m2 : m3;
    const top = low > high ? low : high;
    if (top > largest[o]) largest[o] = top;
  }
}
