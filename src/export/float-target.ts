/** What the graphs of all formats write alike: arithmetic in floats, that of integers too. */
import type { Backbone } from '../backbone/index.ts';
import type { Convolution, GraphTarget, TapValue } from './walk.ts';

export type Bounds = readonly [low: number, high: number];

/** Of one or two values. What comes out has the shape of the first. */
export type Operator = 'add' | 'sub' | 'mul' | 'sqrt' | 'floor' | 'round';

export abstract class FloatTarget implements GraphTarget {
  protected readonly backbone: Backbone;

  constructor(backbone: Backbone) {
    this.backbone = backbone;
  }

  abstract picture(): void;
  abstract uncentred(): string;
  abstract convolution(layer: Convolution): void;
  abstract mean(name: string, input: string): void;
  abstract codes(taps: readonly TapValue[]): string;

  /** Each of them adds a value and returns its name. */
  abstract constant(name: string, shape: readonly number[], values: Float32Array): string;
  abstract operator(operator: Operator, name: string, inputs: readonly string[]): string;
  /** Its name is `name`/clipped. */
  protected abstract clipped(name: string, input: string, bounds: Bounds): string;
  /** PROBABILITIES of standardised codes. @param weights [C × D]. */
  abstract classify(codes: string, weights: Float32Array, bias: Float32Array): void;

  /** Of one number a channel, in a map. */
  protected channels(name: string, values: Float32Array): string {
    return this.constant(name, [values.length], values);
  }

  deviation(name: string, input: string, mean: string): void {
    const difference = this.operator('sub', `${name}/difference`, [input, mean]);
    const square = this.operator('mul', `${name}/square`, [difference, difference]);
    this.mean(`${name}/variance`, square);
    this.operator('sqrt', name, [`${name}/variance`]);
  }

  add(name: string, a: string, b: string): void {
    this.operator('add', name, [a, b]);
  }

  scale(name: string, map: string, factors: string): void {
    this.operator('mul', name, [map, factors]);
  }

  /**
   * The nearest whole number, of two as near the even one, or the one below; clipped to whole numbers.
   * @param way which.
   */
  rounded(name: string, input: string, bounds: Bounds, way: 'nearest' | 'down'): void {
    this.operator(way === 'down' ? 'floor' : 'round', name, [this.clipped(name, input, bounds)]);
  }

  /** @returns a value that is the same as a convolution's, which no runtime computes together with what reads it. */
  apart(convolution: string): string {
    return convolution;
  }

  /** input · factor. @param factors one, or one a channel. */
  scaled(name: string, input: string, factors: Float32Array): void {
    this.operator('mul', name, [input, this.channels(`${name}/factors`, factors)]);
  }

  shifted(name: string, input: string, by: number): void {
    this.operator('add', name, [input, this.scalar(`${name}/by`, by)]);
  }

  protected scalar(name: string, value: number): string {
    return this.constant(name, [], Float32Array.of(value));
  }
}
