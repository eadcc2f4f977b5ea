/**
 * What the kernels magnitudes8 and pack8 make of a convolution's weights, to the bit: for whoever wants the integers in
 * the filter's own order, or has no kernels.
 */
import { inSinglePrecision } from '../../../safetensors.ts';
import type { Filter } from '../kernels/filter.ts';
import type { Codes } from './codes.ts';
import { ROUNDER, units8, type IntegerWeights, type Magnitudes } from './weights.ts';

/** Channels that a kernel may sum up in 16 bits, and of each half of them the places. */
const GROUP = 8;
const HALVES = [
  [0, 1, 4, 5],
  [2, 3, 6, 7],
] as const;

/** A convolution's weights as integers of 8 bits. */
export function weights8(filter: Filter, input: Codes): IntegerWeights {
  const { outputs } = filter;
  const values = inSinglePrecision(filter.weights);
  const { magnitudes, ...found } = magnitudesOf(filter, values);
  const units = units8(filter, input, found);
  const inverses = Float32Array.from(units, (unit) => 1 / unit);
  const [weights, sums] = [new Int8Array(values.length), new Int32Array(outputs)];
  for (let i = 0; i < values.length; i++) {
    weights[i] = Math.fround(values[i] * inverses[i % outputs]) + ROUNDER - ROUNDER;
    sums[i % outputs] += weights[i];
  }
  return { units: { units, magnitudes }, weights, sums };
}

/** By output, in single precision; also what all magnitudes come to. */
function magnitudesOf(
  { inputs, outputs }: Filter,
  weights: Float32Array,
): Magnitudes & { magnitudes: Float32Array } {
  const vector = (): Float32Array => new Float32Array(outputs);
  const [largest, grouped, magnitudes] = [vector(), vector(), vector()];
  for (let row = 0; row * outputs < weights.length; row += Math.min(GROUP, inputs - (row % inputs))) {
    const left = inputs - (row % inputs);
    for (const [p, q, r, s] of HALVES) {
      for (let o = 0; o < outputs; o++) {
        const at = (place: number): number => (place < left ? weights[(row + place) * outputs + o] : 0);
        const [a, b, c, d] = [at(p), at(q), at(r), at(s)];
        const size = sumOf(Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d));
        largest[o] = Math.max(largest[o], Math.abs(a), Math.abs(b), Math.abs(c), Math.abs(d));
        // What is positive comes to half of the sum of both, and what is negative to half of the difference.
        grouped[o] = Math.max(grouped[o], Math.fround(size + Math.abs(sumOf(a, b, c, d))) / 2);
        magnitudes[o] += size;
      }
    }
  }
  return { largest, grouped, magnitudes };
}

function sumOf(a: number, b: number, c: number, d: number): number {
  return Math.fround(Math.fround(a + b) + Math.fround(c + d));
}
