/**
 * Weights as integers: of each output channel in a unit of its own, the smallest in which no sum overflows, whatever the
 * picture. docs/engine.md writes the arithmetic down.
 */
import { inSinglePrecision } from '../../../safetensors.ts';
import type { Filter } from '../kernels/filter.ts';
import { unsupported, type Codes } from './codes.ts';

/** Integer weights in the order of the filter's own, and by output what a kernel needs besides. */
export interface SumWeights {
  readonly weights: Int8Array | Int16Array;
  /** What sums begin with. */
  readonly starts: Int32Array;
  /** What a sum's unit is worth in units of the output. */
  readonly factors: Float32Array;
}

/** Of an 8-bit depthwise convolution: code = (sum · multiplier, in 1/32768, rounded) + offset. */
export interface DepthwiseWeights {
  readonly weights: Int8Array;
  readonly starts: Int16Array;
  readonly multipliers: Int16Array;
  readonly offsets: Int16Array;
}

export interface Ends {
  /** Of what is read. */
  readonly input: Codes;
  /** Of what is written. */
  readonly output: Codes;
  /** Of what is added before rounding. */
  readonly other?: Codes | undefined;
}

const INT8_MAX = 127;
const INT16_MAX = 32_767;
/** Channels that a kernel may sum up in 16 bits: of each word of four, two and two apart. */
const GROUP = 16;
/** Magnitudes of like sign that such a sum may hold: 127 · 258 fits 16 bits. Rounding moves each of its eight by a half. */
const MOST_IN_GROUP = 254;
/** Of a sum of 31 bits, what products may take, and what the bias may. */
const MOST_IN_SUM = 2 ** 30;
const MOST_BIAS = 2 ** 29;
/** Where rounding by addition ends. */
const MOST_ROUNDED = 2 ** 22;

export function convWeights8(step: string, filter: Filter, ends: Ends): SumWeights {
  const values = inSinglePrecision(filter.weights);
  const [largest, grouped] = [largestOf(values, filter.outputs), groupsOf(values, filter)];
  const units = unitsOf(filter, ends.input, (o) =>
    Math.max(largest[o] / INT8_MAX, grouped[o] / MOST_IN_GROUP),
  );
  return quantised(step, filter, ends, units, new Int8Array(values.length));
}

/** For a convolution or a depthwise one of 16 bits, and the one that reads the picture. */
export function convWeights16(step: string, filter: Filter, ends: Ends): SumWeights {
  const values = inSinglePrecision(filter.weights);
  const [largest, sums] = [largestOf(values, filter.outputs), magnitudesOf(values, filter.outputs)];
  const most = MOST_IN_SUM / ends.input.top;
  const units = unitsOf(filter, ends.input, (o) => Math.max(largest[o] / INT16_MAX, sums[o] / most));
  return quantised(step, filter, ends, units, new Int16Array(values.length));
}

/** @param least the smallest unit of an output's weights. */
function unitsOf(filter: Filter, input: Codes, least: (output: number) => number): Float64Array {
  return Float64Array.from(filter.bias, (bias, output) => {
    // Weights may all be zero.
    return Math.max(least(output), Math.abs(bias) / (input.unit * MOST_BIAS)) || 1;
  });
}

function quantised(
  step: string,
  { bias, outputs, weights: given }: Filter,
  { input, output, other }: Ends,
  units: Float64Array,
  weights: Int8Array | Int16Array,
): SumWeights {
  const values = inSinglePrecision(given);
  const [sums, magnitudes] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (let i = 0; i < values.length; i += outputs) {
    for (let o = 0; o < outputs; o++) {
      const weight = Math.round(values[i + o] / units[o]);
      weights[i + o] = weight;
      sums[o] += weight;
      magnitudes[o] += Math.abs(weight);
    }
  }
  const [starts, factors] = [new Int32Array(outputs), new Float32Array(outputs)];
  for (let o = 0; o < outputs; o++) {
    const unit = input.unit * units[o];
    factors[o] = unit / output.unit;
    const otherZero = other === undefined ? 0 : (other.zero * other.unit) / unit;
    const shift = Math.round(bias[o] / unit) - Math.round(otherZero);
    const most = magnitudes[o] * input.top + Math.abs(shift);
    const added = other === undefined ? 0 : (other.top * other.unit) / output.unit;
    if (most >= 2 ** 31 || most * factors[o] + added >= MOST_ROUNDED) {
      throw unsupported(step, `the range of its output is too narrow for channel ${o}`);
    }
    starts[o] = shift - input.zero * sums[o];
  }
  return { weights, starts, factors };
}

const MULTIPLIER_ONE = 32_768;
/** What a sum of 16 bits may reach on either side of its middle, with room for roundings. */
const MOST_FROM_MIDDLE = 32_700;

export function depthwiseWeights8(step: string, filter: Filter, { input, output }: Ends): DepthwiseWeights {
  const { bias, outputs } = filter;
  const values = inSinglePrecision(filter.weights);
  const [largest, sums] = [largestOf(values, outputs), magnitudesOf(values, outputs)];
  const made = {
    weights: new Int8Array(values.length),
    starts: new Int16Array(outputs),
    multipliers: new Int16Array(outputs),
    offsets: new Int16Array(outputs),
  };
  for (let o = 0; o < outputs; o++) {
    const multiplier = multiplierOf(largest[o], sums[o], values.length / outputs, { input, output });
    const unit = (multiplier * output.unit) / (MULTIPLIER_ONE * input.unit);
    let [least, most, sum] = [0, 0, 0];
    for (let i = o; i < values.length; i += outputs) {
      const weight = Math.round(values[i] / unit);
      made.weights[i] = weight;
      sum += weight;
      if (weight > 0) most += weight * input.top;
      else least += weight * input.top;
    }
    // The sum's middle, which 16 bits need not hold, is added to the codes.
    const shift = Math.round(bias[o] / (input.unit * unit)) - input.zero * sum;
    const offset = Math.round((((least + most) / 2 + shift) * multiplier) / MULTIPLIER_ONE);
    if (multiplier > INT16_MAX || Math.abs(offset) > INT16_MAX - output.top) {
      throw unsupported(step, `the range of its output is too narrow for channel ${o}`);
    }
    made.multipliers[o] = multiplier;
    made.offsets[o] = offset + output.zero;
    made.starts[o] = shift - Math.round((offset * MULTIPLIER_ONE) / multiplier);
  }
  return made;
}

/** The smallest multiplier, which says what the weights' unit is, with which weights fit 8 bits and sums 16. */
function multiplierOf(largest: number, sum: number, taps: number, { input, output }: Ends): number {
  const one = (MULTIPLIER_ONE * input.unit) / output.unit;
  let multiplier = Math.max(1, Math.ceil((largest / INT8_MAX) * one));
  const reach = (m: number): number =>
    ((sum * one) / m + taps / 2) * (input.top / 2) + MULTIPLIER_ONE / (2 * m) + 1;
  while (reach(multiplier) > MOST_FROM_MIDDLE && multiplier <= INT16_MAX) {
    multiplier = Math.ceil(multiplier * 1.01);
  }
  return multiplier;
}

// Plain loops, for there are millions of weights and an isolate that starts has not compiled them yet.

function largestOf(values: Float32Array, outputs: number): Float64Array {
  const largest = new Float64Array(outputs);
  for (let i = 0; i < values.length; i += outputs) {
    for (let o = 0; o < outputs; o++) {
      const magnitude = Math.abs(values[i + o]);
      if (magnitude > largest[o]) largest[o] = magnitude;
    }
  }
  return largest;
}

function magnitudesOf(values: Float32Array, outputs: number): Float64Array {
  const sums = new Float64Array(outputs);
  for (let i = 0; i < values.length; i += outputs) {
    for (let o = 0; o < outputs; o++) sums[o] += Math.abs(values[i + o]);
  }
  return sums;
}

/** Of each output the most that the weights of like sign in a group's half come to. */
function groupsOf(values: Float32Array, { inputs, outputs }: Filter): Float64Array {
  const worst = new Float64Array(outputs);
  // By half of the words, then by sign.
  const sums = new Float64Array(outputs * 4);
  for (let row = 0; row < values.length / outputs; row++) {
    const channel = row % inputs;
    const half = (channel & 2) === 0 ? 0 : outputs * 2;
    for (let o = 0; o < outputs; o++) {
      const weight = values[row * outputs + o];
      if (weight > 0) sums[half + o] += weight;
      else sums[half + outputs + o] -= weight;
    }
    if (channel % GROUP !== GROUP - 1 && channel !== inputs - 1) continue;
    for (let i = 0; i < sums.length; i++) {
      const o = i % outputs;
      if (sums[i] > worst[o]) worst[o] = sums[i];
    }
    sums.fill(0);
  }
  return worst;
}
