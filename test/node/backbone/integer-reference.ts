/**
 * The arithmetic of integers written down as plainly as possible, from docs/engine.md: what the kernels must find to the bit.
 * Only weights and starts are the engine's own. Slow on purpose; use it at small shapes.
 */
import type { Backbone } from '../../../src/backbone/index.ts';
import type * as plan from '../../../src/backbone/plan.ts';
import { rangesOf } from '../../../src/backbone/ranges.ts';
import { filterOf } from '../../../src/backbone/simd/filters.ts';
import { boundsOf, codesOf, PICTURE_CODES, type Codes } from '../../../src/backbone/simd/integer/codes.ts';
import { fusedAdds } from '../../../src/backbone/simd/integer/support.ts';
import { depthwiseWeights8 } from '../../../src/backbone/simd/integer/depthwise-weights.ts';
import { sumTables, weights16, type IntegerWeights, type SumTables } from '../../../src/backbone/simd/integer/weights.ts'; // prettier-ignore
import { weights8 } from '../../../src/backbone/simd/integer/weights8.ts';
import { readersOf } from '../../../src/backbone/readers.ts';

interface CodeMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Int32Array;
  readonly codes: Codes;
}

type Weighted = plan.ConvStep | plan.DepthwiseStep | plan.DenseStep;

/** The code of one picture, and every step's map as numbers. */
export function integerReference(
  backbone: Backbone,
  pixels: Uint8Array,
): { code: Float32Array; maps: Map<string, Float32Array> } {
  const network = new Network(backbone, pixels);
  const code = backbone.plan.taps.flatMap((tap) => network.statistic(tap));
  const maps = [...network.maps].filter(([name]) => name !== 'input');
  return { code: Float32Array.from(code), maps: new Map(maps.map(([name, map]) => [name, numbersOf(map)])) };
}

class Network {
  readonly maps = new Map<string, CodeMap>();
  readonly #backbone: Backbone;
  readonly #ranges;

  constructor(backbone: Backbone, pixels: Uint8Array) {
    const { plan } = backbone;
    this.#backbone = backbone;
    this.#ranges = rangesOf(backbone);
    this.maps.set('input', { ...plan.input, values: Int32Array.from(pixels), codes: PICTURE_CODES });
    const adds = fusedAdds(plan.steps, new Set(plan.taps.map((tap) => tap.step)), this.#ranges);
    const withConv = new Map([...adds].map(([conv, add]) => [add.name, conv]));
    for (const step of plan.steps) {
      const conv = plan.steps.find(({ name }) => name === withConv.get(step.name));
      this.maps.set(
        step.name,
        conv?.op === 'conv' && step.op === 'add' ? this.#convAndAdd(conv, step) : this.#run(step),
      );
    }
  }

  statistic({ step, statistic = 'mean' }: plan.Tap): number[] {
    const map = this.maps.get(step)!;
    const pixels = map.height * map.width;
    return channelsOf(map).map((values) => {
      const sum = values.reduce((total, value) => total + value, 0);
      if (statistic === 'mean') return (sum / pixels - map.codes.zero) * map.codes.unit;
      const squares = values.reduce((total, value) => total + value * value, 0);
      return (Math.sqrt(pixels * squares - sum * sum) / pixels) * map.codes.unit;
    });
  }

  #run(step: plan.Step): CodeMap {
    switch (step.op) {
      case 'conv':
      case 'dense':
        return this.#sums(step);
      case 'depthwise':
        return this.#ranges.wide.has(step.name) ? this.#sums(step) : this.#depthwise8(step);
      case 'add':
        return this.#add(step);
      case 'mean':
        return this.#mean(step);
      case 'squeeze-excite':
        throw new Error('not on integers');
    }
  }

  #codes(name: string): Codes {
    const isWide = readersOf(this.#backbone.plan.steps, name).some((step) =>
      this.#ranges.wide.has(step.name),
    );
    return codesOf(this.#ranges.of.get(name)!, isWide ? 16 : 8);
  }

  #weightsOf(step: Weighted, output: Codes, other?: Codes): SumTables & Pick<IntegerWeights, 'weights'> {
    const input = this.maps.get(step.input)!.codes;
    const filter = filterOf(this.#backbone, step);
    const in16 = step.input === 'input' || this.#ranges.wide.has(step.name);
    const { units, weights, sums } = in16 ? weights16(filter, input) : weights8(filter, input);
    return { weights, ...sumTables(step.name, filter, { input, output, other }, units, sums) };
  }

  /** Sums of 32 bits, rounded to codes. */
  #sums(step: Weighted): CodeMap {
    const codes = this.#codes(step.name);
    const { starts, factors, weights } = this.#weightsOf(step, codes);
    const [low, high] = boundsOf(codes, step.activation);
    return this.#slide(step, codes, (o, products) => {
      const sum = products(weights, starts[o]);
      return clamp(toEven(Math.fround(Math.fround(inRange(sum, 32)) * factors[o]) + codes.zero), low, high);
    });
  }

  #convAndAdd(conv: plan.ConvStep, add: plan.AddStep): CodeMap {
    const codes = this.#codes(add.name);
    const other = this.maps.get(add.input === conv.name ? add.other : add.input)!;
    const { starts, factors, weights } = this.#weightsOf(conv, codes, other.codes);
    const factor = Math.fround(other.codes.unit / codes.unit);
    return this.#slide(conv, codes, (o, products, at) => {
      const own = Math.fround(Math.fround(inRange(products(weights, starts[o]), 32)) * factors[o]);
      const sum = Math.fround(own + Math.fround(other.values[at] * factor));
      return clamp(toEven(sum + codes.zero), 0, codes.top);
    });
  }

  /** Sums of 16 bits, rounded by one multiplication. */
  #depthwise8(step: plan.DepthwiseStep): CodeMap {
    const codes = this.#codes(step.name);
    const ends = { input: this.maps.get(step.input)!.codes, output: codes };
    const filter = filterOf(this.#backbone, step);
    const { starts, multipliers, offsets, weights } = depthwiseWeights8(step.name, filter, ends);
    const [low, high] = boundsOf(codes, step.activation);
    return this.#slide(step, codes, (o, products) => {
      // Starts wrap around, and so may sums on the way; the whole fits.
      const sum = (products(weights, starts[o]) << 16) >> 16;
      return clamp(((sum * multipliers[o] + 0x4000) >> 15) + offsets[o], low, high);
    });
  }

  /** @param codeAt of an output channel; `products` adds those of its window to a start, `at` is where the code goes. */
  #slide(
    step: Weighted,
    codes: Codes,
    codeAt: (
      output: number,
      products: (weights: ArrayLike<number>, start: number) => number,
      at: number,
    ) => number,
  ): CodeMap {
    const input = this.maps.get(step.input)!;
    const filter = filterOf(this.#backbone, step);
    const shape = this.#backbone.shapes.get(step.name)!;
    const outputs = shape.channels;
    const values = new Int32Array(shape.height * shape.width * outputs);
    for (let at = 0; at < values.length; at++) {
      const [o, x, y] = [
        at % outputs,
        Math.floor(at / outputs) % shape.width,
        Math.floor(at / outputs / shape.width),
      ];
      const [top, left] = [y * filter.stride - filter.padding[0], x * filter.stride - filter.padding[2]];
      const products = (weights: ArrayLike<number>, start: number): number => {
        let sum = start;
        for (let i = o; i < weights.length; i += outputs) {
          const row = (i - o) / outputs;
          const tap = Math.floor(row / filter.inputs);
          const channel = step.op === 'depthwise' ? o : row % filter.inputs;
          const [ky, kx] = [Math.floor(tap / filter.width), tap % filter.width];
          sum += weights[i] * this.#codeAt(input, top + ky, left + kx, channel);
        }
        return sum;
      };
      values[at] = codeAt(o, products, at);
    }
    return { ...shape, values, codes };
  }

  #codeAt(map: CodeMap, y: number, x: number, channel: number): number {
    const isInside = y >= 0 && y < map.height && x >= 0 && x < map.width;
    if (isInside) return map.values[(y * map.width + x) * map.channels + channel];
    const { padValue } = this.#backbone.plan.input;
    return map.codes === PICTURE_CODES ? Math.round(padValue[channel]) : map.codes.zero;
  }

  #add(step: plan.AddStep): CodeMap {
    const [a, b] = [this.maps.get(step.input)!, this.maps.get(step.other)!];
    const codes = this.#codes(step.name);
    const scaled = (map: CodeMap, i: number): number =>
      Math.fround((map.values[i] - map.codes.zero) * Math.fround(map.codes.unit / codes.unit));
    const values = a.values.map((_, i) =>
      clamp(toEven(Math.fround(scaled(a, i) + scaled(b, i)) + codes.zero), 0, codes.top),
    );
    return { ...a, values, codes };
  }

  #mean(step: plan.MeanStep): CodeMap {
    const means = this.statistic({ name: '', step: step.input, channels: 0 });
    const codes = this.#codes(step.name);
    const values = means.map((mean) => clamp(toEven(mean / codes.unit) + codes.zero, 0, codes.top));
    return { height: 1, width: 1, channels: values.length, values: Int32Array.from(values), codes };
  }
}

function numbersOf({ values, codes }: CodeMap): Float32Array {
  return Float32Array.from(values, (code) => (code - codes.zero) * codes.unit);
}

function channelsOf({ values, channels }: CodeMap): number[][] {
  return Array.from({ length: channels }, (_, channel) =>
    [...values].filter((_, i) => i % channels === channel),
  );
}

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** The nearest integer, of two as near the even one. */
function toEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

function inRange(sum: number, bits: number): number {
  if (Math.abs(sum) >= 2 ** (bits - 1)) throw new Error(`${sum} doesn't fit ${bits} bits`);
  return sum;
}
