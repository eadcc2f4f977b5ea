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
  readonly magnitudes: ArrayLike<number>;
}

/** Weights in units, in their filter's own order. */
export interface IntegerWeights {
  readonly units: Units;
  readonly weights: Int8Array | Int16Array;
  /** By output. */
  readonly sums: Int32Array;
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
/**
 * Of eight channels, or what is left of them at the end, the kernels may sum up in 16 bits half: of each four the first
 * or the last two. Magnitudes of like sign that such a sum may hold: 127 · 258 fits. Rounding moves each by a half.
 */
const MOST_IN_GROUP = 256;
/** Of a sum of 31 bits, what products may take, and what the bias may. */
const MOST_IN_SUM = 2 ** 30;
const MOST_BIAS = 2 ** 29;
/** Where rounding by addition ends. */
const MOST_ROUNDED = 2 ** 22;
/** Adding this to a double and taking it off again leaves the nearest integer, of two as near the even one. */
export const ROUNDER = 1.5 * 2 ** 52;

/** What the weights of a convolution come to, by output. */
export interface Magnitudes {
  readonly largest: ArrayLike<number>;
  /** The most that weights of like sign come to in half a group. */
  readonly grouped: ArrayLike<number>;
}

/** Of a convolution of 8 bits. */
export function units8(filter: Filter, input: Codes, { largest, grouped }: Magnitudes): Float64Array {
  return unitsOf(filter, input, (o) => Math.max(largest[o] / INT8_MAX, grouped[o] / MOST_IN_GROUP));
}

/** Of a convolution or a depthwise one of 16 bits, and of the one that reads the picture. */
export function units16(filter: Filter, input: Codes): Units {
  const { largest, magnitudes } = magnitudesOf(filter);
  const most = MOST_IN_SUM / input.top;
  const least = (o: number): number => Math.max(largest[o] / INT16_MAX, magnitudes[o] / most);
  return { units: unitsOf(filter, input, least), magnitudes };
}

/** The same convolution's weights as integers. */
export function weights16(filter: Filter, input: Codes): IntegerWeights {
  const units = units16(filter, input);
  const weights = new Int16Array(filter.weights.length);
  return { units, weights, sums: toIntegers(filter, units.units, weights) };
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
    // Sums of magnitudes in single precision may be a little off.
    const size = (magnitudes[o] / units[o]) * 1.001 + weights.length / outputs / 2;
    const most = size * input.top + Math.abs(shift);
    const added = other === undefined ? 0 : (other.top * other.unit) / output.unit;
    if (most >= 2 ** 31 || most * factors[o] + added >= MOST_ROUNDED) {
      throw unsupported(step, `the range of its output is too narrow for channel ${o}`);
    }
    starts[o] = shift - input.zero * sums[o];
  }
  return { starts, factors };
}

/** By output, of the weights' magnitudes the largest and the sum. */
export function magnitudesOf({ weights, outputs }: Filter): {
  largest: Float64Array;
  magnitudes: Float64Array;
} {
  const values = inSinglePrecision(weights);
  const [largest, magnitudes] = [new Float64Array(outputs), new Float64Array(outputs)];
  for (let i = 0; i < values.length; i += outputs) {
    for (let o = 0; o < outputs; o++) {
      const size = Math.abs(values[i + o]);
      magnitudes[o] += size;
      if (size > largest[o]) largest[o] = size;
    }
  }
  return { largest, magnitudes };
}
