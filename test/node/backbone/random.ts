/** Repeatable random pictures and backbones for tests of engines. */
import type { Backbone } from '../../../src/backbone/index.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';
import type { Activation, Padding, Statistic, Step } from '../../../src/backbone/plan.ts';
import type { Tensor } from '../../../src/safetensors.ts';
import { elementCount, tensorOf, writeSafetensors } from '../../../src/safetensors.ts';

export type Random = () => number;

/** Mulberry32: uniform in [0, 1), the same sequence on every host. */
export function random(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function between(next: Random, low: number, high: number): number {
  return low + Math.floor(next() * (high - low + 1));
}

export function randomPixels(seed: number, length: number): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length }, () => next() * 256);
}

export { ACTIVATIONS } from '../../../src/backbone/activations.ts';

/** Collects steps and random weights, then loads them the way a real backbone is loaded. */
export class BackboneMaker {
  readonly next: Random;
  readonly #steps: Step[] = [];
  readonly #tensors = new Map<string, Tensor>();
  readonly #input: { height: number; width: number; channels: number; padValue: number[] };

  constructor(seed: number, height: number, width: number, channels: number) {
    this.next = random(seed);
    const padValue = Array.from({ length: channels }, () => Math.fround(this.next() * 255));
    this.#input = { height, width, channels, padValue };
  }

  /** @param scale of the weights; pictures hold numbers up to 255, feature maps around 1. */
  conv(name: string, input: string, shape: number[], options: ConvolutionOptions, scale = 1): this {
    return this.#convolution('conv', name, input, shape, options, scale);
  }

  depthwise(name: string, input: string, shape: number[], options: ConvolutionOptions, scale = 1): this {
    return this.#convolution('depthwise', name, input, shape, options, scale);
  }

  squeezeExcite(name: string, input: string, channels: number, squeezed: number): this {
    this.#steps.push({
      op: 'squeeze-excite',
      name,
      input,
      reduceWeights: this.#tensor(`${name}.rw`, [channels, squeezed], 1),
      reduceBias: this.#tensor(`${name}.rb`, [squeezed], 1),
      expandWeights: this.#tensor(`${name}.ew`, [squeezed, channels], 3),
      expandBias: this.#tensor(`${name}.eb`, [channels], 3),
    });
    return this;
  }

  add(name: string, input: string, other: string): this {
    this.#steps.push({ op: 'add', name, input, other });
    return this;
  }

  mean(name: string, input: string): this {
    this.#steps.push({ op: 'mean', name, input });
    return this;
  }

  dense(name: string, input: string, shape: number[], activation: Activation): this {
    const weights = this.#tensor(`${name}.w`, shape, 1);
    this.#steps.push({
      op: 'dense',
      name,
      input,
      weights,
      bias: this.#tensor(`${name}.b`, [shape[1]], 2),
      activation,
    });
    return this;
  }

  /**
   * Lets the network run on integers.
   * @param ranges by step.
   * @param wide the steps that compute in 16 bits.
   */
  onIntegers(ranges: ReadonlyMap<string, readonly [number, number]>, wide: readonly string[]): this {
    for (const [step, range] of ranges) {
      this.#tensors.set(`${step}.range`, tensorOf(Float32Array.from(range), [2]));
    }
    for (const step of wide) this.#tensors.set(`${step}.bits`, tensorOf(Float32Array.of(16), [1]));
    return this;
  }

  load(taps: { step: string; channels: number; statistic?: Statistic }[], sides: number[] = []): Backbone {
    const plan = {
      format: 'headwater-plan/1',
      name: 'random',
      version: '1',
      weightsSha256: '0'.repeat(64),
      input: sides.length === 0 ? this.#input : { ...this.#input, sides },
      steps: this.#steps,
      taps: taps.map((tap) => ({
        name: tap.statistic === undefined ? tap.step : `${tap.step}.${tap.statistic}`,
        ...tap,
      })),
    };
    return loadBackbone(JSON.parse(JSON.stringify(plan)), writeSafetensors(this.#tensors));
  }

  #convolution(
    op: 'conv' | 'depthwise',
    name: string,
    input: string,
    shape: number[],
    { stride, padding, activation }: ConvolutionOptions,
    scale: number,
  ): this {
    const weights = this.#tensor(`${name}.w`, shape, scale);
    const bias = this.#tensor(`${name}.b`, [shape[shape.length - 1]], 2);
    this.#steps.push({ op, name, input, weights, bias, stride, padding, activation });
    return this;
  }

  #tensor(name: string, shape: number[], scale: number): string {
    const values = Float32Array.from({ length: elementCount(shape) }, () => (this.next() * 2 - 1) * scale);
    this.#tensors.set(name, tensorOf(values, shape));
    return name;
  }
}

export interface ConvolutionOptions {
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
}
