/**
 * The integers' arithmetic for runtimes that know floats alone, bit for bit: whole numbers below 2²⁴ are exact in single
 * precision. It has to be exact: a code that is rounded the other way moves others, and after a dozen layers as many differ
 * as if nothing were rounded. docs/engine.md writes the arithmetic down.
 */
import type { IntegerStep } from './constants.ts';
import { depthwiseWeights8, ONE } from './depthwise-weights.ts';
import { sumTables, weights16 } from './weights.ts';
import { weights8 } from './weights8.ts';

/** A convolution of maps that hold codes less their zero points. */
export interface Convolution {
  /** In the filter's order. */
  readonly weights: Float32Array;
  /** By output. */
  readonly bias: Float64Array;
}

/** A layer whose sums have 32 bits in the engine. */
export interface Sums {
  /** What is to be added: of weights of 16 bits there are two, since one would not be exact. */
  readonly parts: readonly Convolution[];
  /**
   * By output, what the sum is to be multiplied by: then it is in units of the output. The nearest code is wanted, of two as
   * near the even one.
   */
  readonly factors: Float32Array;
}

/** Whole numbers up to it are exact in single precision. */
const EXACT = 2 ** 24;

/** @throws HeadwaterError `backbone_invalid` as the engine does. */
export function sumsInFloats({ name, filter, ends }: IntegerStep): Sums {
  const { input } = ends;
  const isWide = input.bits === 16;
  const { weights, sums, units } = isWide ? weights16(filter, input) : weights8(filter, input);
  const { starts, factors } = sumTables(name, filter, ends, units, sums);
  const whole = {
    weights: Float32Array.from(weights),
    bias: Float64Array.from(starts, (start, o) => start + input.zero * sums[o]),
  };
  const parts = isWide ? inTwo(whole, (weights.length / filter.outputs) * input.top) : [whole];
  return inReach(parts, factors);
}

/**
 * The same with factors near one. Powers of two change no bit, but half precision, which some runtimes compute in where
 * they find it faster, would not hold the sums of whole numbers.
 */
function inReach(parts: readonly Convolution[], factors: Float32Array): Sums {
  const powers = factors.map((factor) => 2 ** Math.round(Math.log2(factor)));
  const scaled = ({ weights, bias }: Convolution): Convolution => ({
    weights: weights.map((weight, i) => weight * powers[i % powers.length]),
    bias: bias.map((value, o) => value * powers[o]),
  });
  return { parts: parts.map(scaled), factors: factors.map((factor, o) => factor / powers[o]) };
}

/**
 * A depthwise layer of 8 bits, in units of the output and a half more: rounded down, that is the nearest code and of two as
 * near the larger. Products are whole 32768ths, of which 2²⁴ come to more codes than there are.
 * @throws HeadwaterError `backbone_invalid` as the engine does.
 */
export function depthwiseInFloats({ name, filter, ends }: IntegerStep): Convolution {
  const { input, output } = ends;
  const { weights, sums, starts, multipliers, offsets } = depthwiseWeights8(name, filter, ends);
  const outputs = multipliers.length;
  const bias = Float64Array.from(starts, (start, o) => {
    const sum = (start + input.zero * sums[o]) * multipliers[o];
    return sum / ONE + offsets[o] - output.zero + 0.5;
  });
  return { weights: Float32Array.from(weights, (w, i) => (w * multipliers[i % outputs]) / ONE), bias };
}

/**
 * What is in weights a multiple of a power of two, and the rest, whose sums are exact.
 * @param most that an output's weights of one would come to.
 */
function inTwo({ weights, bias }: Convolution, most: number): Convolution[] {
  const unit = 2 ** Math.max(0, Math.floor(Math.log2((2 * EXACT) / most)));
  const high = (value: number): number => Math.round(value / unit) * unit;
  return [
    { weights: weights.map(high), bias: bias.map(high) },
    { weights: weights.map((w) => w - high(w)), bias: bias.map((b) => b - high(b)) },
  ];
}
