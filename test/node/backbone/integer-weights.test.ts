/** No sum overflows, whatever the picture: weights in the worst place for it. */
import { describe, expect, it } from 'vitest';
import type { Filter } from '../../../src/backbone/simd/kernels/filter.ts';
import { codesOf } from '../../../src/backbone/simd/integer/codes.ts';
import { depthwiseWeights8 } from '../../../src/backbone/simd/integer/depthwise-weights.ts';
import { units16, sumTables, toIntegers } from '../../../src/backbone/simd/integer/weights.ts';
import { weights8 } from '../../../src/backbone/simd/integer/weights8.ts';
import { random } from './random.ts';

const ends = {
  input: codesOf({ low: -1, high: 6 }, 8),
  output: codesOf({ low: -300, high: 500 }, 8),
};
const wideEnds = { ...ends, input: codesOf({ low: -1, high: 6 }, 16) };

function filter(weights: Float32Array, bias: Float32Array, side: number, inputs: number): Filter {
  const size = { height: side, width: side, inputs, outputs: bias.length };
  return { name: 'w', weights, bias, ...size, stride: 1, padding: [0, 0, 0, 0], activation: 'none' };
}

/** Equal weights of like sign are the worst; random ones, all zeros and a tiny one with a large bias stand beside them. */
function outputs(rows: number): { weights: Float32Array; bias: Float32Array } {
  const next = random(3);
  const row = (): number[] => [1, -1, next() * 2 - 1, 0, 1e-20];
  return {
    weights: Float32Array.from(Array.from({ length: rows }, row).flat()),
    bias: Float32Array.of(5, -5, 0, 3, 100),
  };
}

describe('integer weights', () => {
  it('keep sums of eight channels in 16 bits', () => {
    const { weights, bias } = outputs(40);
    const given = filter(weights, bias, 1, 40);
    const made = weights8(given, ends.input).weights;
    for (let o = 0; o < 5; o++) {
      for (let group = 0; group < 40; group += 8) {
        for (const half of [0, 2]) {
          let [positive, negative] = [0, 0];
          for (let c = group; c < Math.min(group + 8, 40); c++) {
            const weight = made[c * 5 + o];
            if ((c & 2) !== half) continue;
            if (weight > 0) positive += weight;
            else negative -= weight;
          }
          expect(Math.max(positive, negative) * 127).toBeLessThan(2 ** 15);
        }
      }
    }
    expect(Math.max(...made)).toBeGreaterThan(30);
  });

  it('keep sums of 16-bit codes in 32 bits', () => {
    const { weights, bias } = outputs(5000);
    const given = filter(weights, bias, 1, 5000);
    const made = new Int16Array(weights.length);
    const units = units16(given, wideEnds.input);
    const { starts } = sumTables('step', given, wideEnds, units, toIntegers(given, units.units, made));
    for (let o = 0; o < 5; o++) {
      let [least, most] = [starts[o], starts[o]];
      for (let i = o; i < made.length; i += 5) {
        if (made[i] > 0) most += made[i] * 16_383;
        else least += made[i] * 16_383;
      }
      expect(most, `${o}`).toBeLessThan(2 ** 31);
      expect(least, `${o}`).toBeGreaterThan(-(2 ** 31));
    }
  });

  it('keep a depthwise sum in 16 bits, and its scale exact', () => {
    for (const side of [1, 3, 5, 7]) {
      const { weights, bias } = outputs(side * side);
      const made = depthwiseWeights8('step', filter(weights, bias, side, 1), ends);
      for (let o = 0; o < 5; o++) {
        const unit = (made.multipliers[o] * ends.output.unit) / 32_768 / ends.input.unit;
        let [least, most, sum] = [0, 0, 0];
        for (let i = o; i < weights.length; i += 5) {
          expect(Math.abs(made.weights[i] * unit - weights[i])).toBeLessThanOrEqual(unit * 0.5001);
          sum += made.weights[i];
          if (made.weights[i] > 0) most += made.weights[i] * 127;
          else least += made.weights[i] * 127;
        }
        const start = ((made.starts[o] - 0) << 16) >> 16;
        // The start wraps around; the middle tells by how much.
        const turns = Math.round((-(least + most) / 2 - start) / 65_536) * 65_536;
        expect(start + turns + most, `side ${side}, ${o}`).toBeLessThan(32_768);
        expect(start + turns + least, `side ${side}, ${o}`).toBeGreaterThanOrEqual(-32_768);
        // With all inputs at their zero point the code is the bias's.
        const still = start + turns + ends.input.zero * sum;
        const code = Math.round((still * made.multipliers[o]) / 32_768) + made.offsets[o];
        expect(Math.abs(code - ends.output.zero - bias[o] / ends.output.unit)).toBeLessThan(1);
      }
    }
  });
});
