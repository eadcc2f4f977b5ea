/**
 * Weights of an 8-bit depthwise convolution. Its sums have 16 bits and become codes by one multiplication by a whole number
 * of 32768ths; the weights' units are chosen so that such a number is exact.
 */
import type { Filter } from '../kernels/filter.ts';
import { unsupported, type Codes } from './codes.ts';
import { magnitudesOf, toIntegers, type Ends } from './weights.ts';

/** code = (sum · multiplier, in 1/32768, rounded) + offset */
export interface DepthwiseWeights {
  /** In the filter's order. */
  readonly weights: Int8Array;
  /** Of the weights, by output. */
  readonly sums: Int32Array;
  /** What sums begin with; of more than 16 bits the kernels' sums have the lowest. */
  readonly starts: Int32Array;
  readonly multipliers: Int16Array;
  readonly offsets: Int16Array;
}

const INT8_MAX = 127;
const INT16_MAX = 32_767;
/** What multipliers count. */
export const ONE = 32_768;
/** What a sum may reach on either side of its middle, with room for roundings. */
const MOST_FROM_MIDDLE = 32_600;

/** @throws HeadwaterError `backbone_invalid` where 16 bits don't hold the range of the output. */
export function depthwiseWeights8(
  step: string,
  filter: Filter,
  { input, output }: Omit<Ends, 'other'>,
): DepthwiseWeights {
  const { bias, outputs } = filter;
  const multipliers = multipliersOf(filter, input, output);
  const units = Float64Array.from(multipliers, (m) => (m * output.unit) / (ONE * input.unit));
  const weights = new Int8Array(filter.weights.length);
  const sums = toIntegers(filter, units, weights);
  const [starts, offsets] = [new Int32Array(outputs), new Int16Array(outputs)];
  for (let o = 0; o < outputs; o++) {
    // Products reach from the negative weights' sum to the positive ones', whose middle is half of the whole sum. 16 bits
    // need not hold the middle of what comes out: it is added to the code.
    const shift = Math.round(bias[o] / (input.unit * units[o])) - input.zero * sums[o];
    const offset = Math.round((((sums[o] * input.top) / 2 + shift) * multipliers[o]) / ONE);
    if (multipliers[o] > INT16_MAX || Math.abs(offset) > INT16_MAX - output.top) {
      throw unsupported(step, `the range of its output is too narrow for channel ${o}`);
    }
    offsets[o] = offset + output.zero;
    starts[o] = shift - Math.round((offset * ONE) / multipliers[o]);
  }
  return { weights, sums, starts, multipliers: Int16Array.from(multipliers), offsets };
}

/** By output the smallest multiplier with which weights fit 8 bits and sums, from one end to the other, 16. */
function multipliersOf(filter: Filter, input: Codes, output: Codes): Float64Array {
  const { largest, magnitudes } = magnitudesOf(filter);
  const one = (ONE * input.unit) / output.unit;
  const middle = input.top / 2;
  // Rounding moves each weight by a half, and the offset moves sums by half a multiplier's inverse.
  const most = MOST_FROM_MIDDLE - (filter.weights.length / filter.outputs / 2) * middle;
  return largest.map((size, o) => {
    const reach = magnitudes[o] * one * middle + ONE / 2;
    return Math.max(1, Math.ceil((size * one) / INT8_MAX), Math.ceil(reach / Math.max(most, 1)));
  });
}
