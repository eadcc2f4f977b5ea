/**
 * Compiles a backbone's plan into a program for the engine: decides which steps are fused, how each map lies in memory
 * and where each tap's statistic comes from. What a single kernel wants to know is its file's business, in kernels/.
 */
import type { Backbone } from '../load.ts';
import * as plan from '../plan.ts';
import { findFusedAdds, findFusedDepthwise, readsOf } from './fuse.ts';
import { blockwise } from './kernels/blockwise.ts';
import { border } from './kernels/border.ts';
import { conv } from './kernels/conv.ts';
import { dense } from './kernels/dense.ts';
import { depthwise } from './kernels/depthwise.ts';
import { elementwise } from './kernels/elementwise.ts';
import type { Filter } from './kernels/filter.ts';
import { quantise } from './kernels/quantise.ts';
import { statistics, type Statistics } from './kernels/statistics.ts';
import { makeRoom, stem, type Picture } from './kernels/stem.ts';
import { FeatureMap, NO_PADDING, vectorBytes } from './map.ts';
import { Program, type Region } from './program.ts';

export interface Compiled {
  readonly program: Program;
  /** Where one picture goes before a run. */
  readonly pixels: Region;
  /** Where the taps' statistics lie after a run, in the plan's order. */
  readonly taps: readonly { readonly region: Region; readonly channels: number }[];
  /** The steps' maps, for tests: what lies there after a run is whole only when compiled with `keepMaps`. */
  readonly maps: ReadonlyMap<string, FeatureMap>;
}

export interface CompileOptions {
  /** Of the numbers that convolutions multiply; depthwise ones and squeeze-and-excite stay in floats. */
  readonly bits?: 16 | 32;
  /** Keeps every map to the end of a run, to compare engines layer by layer; costs memory. */
  readonly keepMaps?: boolean;
}

export function compile(backbone: Backbone, options: CompileOptions = {}): Compiled {
  return new Compiler(backbone, options).compile();
}

/** Terms of a convolution's sum up to which 16 bits leave the weights enough of the sum's 31. */
const MOST_TERMS_IN_16_BITS = 16_384;

const NONE = plan.ACTIVATIONS.indexOf('none');

class Compiler {
  readonly #backbone: Backbone;
  readonly #keepMaps: boolean;
  readonly #bits: 16 | 32;
  readonly #program = new Program();
  readonly #picture: Picture;
  readonly #maps = new Map<string, FeatureMap>();
  readonly #statistics = new Map<string, Statistics>();
  readonly #quantised = new Map<string, FeatureMap>();
  /** Outputs of squeeze-and-excite that exist only in 16 bits: factors are applied when `of` is quantised. */
  readonly #factors = new Map<string, { factors: Region; of: string }>();
  readonly #tapped: ReadonlySet<string>;
  /** The steps of whose output a tap reads the deviation. */
  readonly #deviated: ReadonlySet<string>;
  /** The adds that the convolution before them does on the way, by that convolution's name. */
  readonly #fusedAdds: ReadonlyMap<string, plan.AddStep>;
  /** The depthwise convolutions that run block by block with the convolution they read, by that convolution's name. */
  readonly #fusedDepthwise: ReadonlyMap<string, plan.DepthwiseStep>;

  constructor(backbone: Backbone, { bits = 32, keepMaps = false }: CompileOptions) {
    this.#backbone = backbone;
    this.#keepMaps = keepMaps;
    this.#bits = bits;
    this.#picture = makeRoom(this.#program, backbone.plan.input);
    const { taps } = backbone.plan;
    this.#tapped = new Set(taps.map((tap) => tap.step));
    this.#deviated = new Set(taps.filter((tap) => tap.statistic === 'deviation').map((tap) => tap.step));
    this.#fusedAdds = findFusedAdds(backbone.plan.steps, this.#tapped);
    this.#fusedDepthwise = keepMaps ? new Map() : findFusedDepthwise(backbone.plan.steps, this.#tapped);
  }

  compile(): Compiled {
    const { steps, taps } = this.#backbone.plan;
    const fused = [...this.#fusedAdds.values(), ...this.#fusedDepthwise.values()];
    const skipped = new Set(fused.map((step) => step.name));
    for (const step of steps) {
      if (!skipped.has(step.name)) this.#step(step);
      const written = (this.#fusedAdds.get(step.name) ?? this.#fusedDepthwise.get(step.name) ?? step).name;
      if (this.#tapped.has(written)) this.#keep(this.#about(written));
      if (this.#keepMaps) this.#program.keep(this.#maps.get(written)!.region);
    }
    return {
      program: this.#program,
      pixels: this.#picture.pixels,
      taps: taps.map(({ step, channels, statistic = 'mean' }) => {
        const { means, deviations } = this.#about(step);
        return { region: statistic === 'deviation' ? deviations! : means.region, channels };
      }),
      maps: this.#maps,
    };
  }

  #step(step: plan.Step): void {
    switch (step.op) {
      case 'conv':
      case 'dense':
        return this.#conv(step);
      case 'depthwise':
        return this.#depthwise(step);
      case 'squeeze-excite':
        return this.#squeezeExcite(step);
      case 'add':
        return this.#program.step(
          elementwise(this.#read(step.input), this.#write(step.name), this.#read(step.other)),
        );
      case 'mean': {
        const { means } = this.#about(step.input);
        if (samePadding(this.#paddingFor(step.name), NO_PADDING)) this.#maps.set(step.name, means);
        else this.#program.step(elementwise(means, this.#write(step.name)));
      }
    }
  }

  #conv(step: plan.ConvStep | plan.DenseStep): void {
    const filter = this.#filterOf(step);
    if (step.input === 'input')
      return this.#program.step(stem(this.#picture, filter, this.#write(step.name)));
    const input = this.#bitsFor(filter) === 16 ? this.#quantise(step.input) : this.#read(step.input);
    const depthwise = this.#fusedDepthwise.get(step.name);
    if (depthwise !== undefined) {
      const between = this.#allocate(step.name, depthwise.padding, true);
      const output = this.#write(depthwise.name);
      const about = this.#wantsStatistics(depthwise.name)
        ? this.#newStatistics(depthwise.name, output)
        : undefined;
      if (about !== undefined) this.#statistics.set(depthwise.name, about);
      return this.#program.step(
        blockwise([input, filter], [between, this.#filterOf(depthwise)], output, about),
      );
    }
    const add = this.#fusedAdds.get(step.name);
    if (add === undefined) return this.#program.step(conv(input, filter, this.#write(step.name)));
    const other = this.#read(add.input === step.name ? add.other : add.input);
    const output = this.#write(add.name);
    if (samePadding(other.padding, output.padding))
      return this.#program.step(conv(input, filter, output, other));
    const unadded = this.#allocate(step.name, NO_PADDING);
    this.#program.step(conv(input, filter, unadded));
    return this.#program.step(elementwise(unadded, output, other));
  }

  #bitsFor(filter: Filter): 16 | 32 {
    return filter.height * filter.width * filter.inputs > MOST_TERMS_IN_16_BITS ? 32 : this.#bits;
  }

  /** A step's output in 16 bits; made once. */
  #quantise(name: string): FeatureMap {
    const known = this.#quantised.get(name);
    if (known !== undefined) return known;
    const { factors, of = name } = this.#factors.get(name) ?? {};
    const quantised = this.#narrow(this.#read(name), this.#about(of).peaks!, factors);
    this.#quantised.set(name, quantised);
    return quantised;
  }

  #narrow(map: FeatureMap, peaks: Region, factors?: Region): FeatureMap {
    const narrow = new FeatureMap({ shape: map.shape, padding: map.padding, bits: 16 }, this.#program);
    this.#program.step(quantise(map, narrow, peaks, factors));
    return narrow;
  }

  #depthwise(step: plan.DepthwiseStep): void {
    const filter = this.#filterOf(step);
    const output = this.#write(step.name);
    if (step.input !== 'input') return this.#program.step(depthwise(this.#read(step.input), filter, output));
    // Around the picture lie the plan's padding values, which are part of its map then.
    const padded = this.#pictureMap(step.padding);
    return this.#program.step(depthwise(padded, { ...filter, padding: NO_PADDING }, output));
  }

  #squeezeExcite(step: plan.SqueezeExciteStep): void {
    const input = this.#read(step.input);
    const { reduceWeights, reduceBias, expandWeights, expandBias } = step;
    const squeeze = this.#filter(reduceWeights, reduceBias, 'relu');
    const squeezed = this.#dense(this.#about(step.input).means, squeeze);
    const excite = this.#filter(expandWeights, expandBias, 'hard-sigmoid');
    const factors = this.#dense(squeezed, excite).region;
    const inPlace = !this.#keepMaps && step.input !== 'input' && this.#readers(step.input).length === 1;
    if (inPlace && samePadding(input.padding, this.#paddingFor(step.name))) {
      this.#maps.set(step.name, input);
      if (this.#isReadIn16Bits(step.name)) this.#factors.set(step.name, { factors, of: step.input });
      else this.#program.step(elementwise(input, input, factors));
    } else {
      this.#program.step(elementwise(input, this.#write(step.name), factors));
    }
  }

  /** Whether nothing but convolutions in 16 bits reads a step's output. */
  #isReadIn16Bits(name: string): boolean {
    const in16 = (step: plan.Step) => step.op === 'conv' && this.#bitsFor(this.#filterOf(step)) === 16;
    return this.#readers(name).every(in16) && !this.#tapped.has(name);
  }

  /** A fully connected layer on a map of one pixel. */
  #dense(input: FeatureMap, filter: Filter): FeatureMap {
    // A single pixel's peaks are its values.
    const narrowed = this.#bitsFor(filter) === 16 ? this.#narrow(input, input.region) : input;
    const output = this.#vector(filter.outputs);
    this.#program.step(dense(narrowed, filter, output));
    return output;
  }

  /** What is to be known of a step's output; found out once. */
  #about(name: string): Statistics {
    const known = this.#statistics.get(name);
    if (known !== undefined) return known;
    const map = this.#read(name);
    const about = this.#newStatistics(name, map);
    this.#program.step(statistics(map, about));
    this.#statistics.set(name, about);
    return about;
  }

  #newStatistics(name: string, { shape: { channels } }: FeatureMap): Statistics {
    const vector = (): Region => this.#program.scratch(vectorBytes(channels));
    return {
      means: this.#vector(channels),
      deviations: this.#deviated.has(name) ? vector() : undefined,
      peaks: this.#bits === 16 ? vector() : undefined,
    };
  }

  /** What taps read outlives the run. */
  #keep({ means, deviations }: Statistics): void {
    this.#program.keep(means.region);
    if (deviations !== undefined) this.#program.keep(deviations);
  }

  #wantsStatistics(name: string): boolean {
    const readers = this.#readers(name).some((step) => step.op === 'squeeze-excite' || step.op === 'mean');
    return this.#bits === 16 || this.#tapped.has(name) || readers;
  }

  #vector(channels: number): FeatureMap {
    return new FeatureMap({ shape: { height: 1, width: 1, channels }, padding: NO_PADDING }, this.#program);
  }

  #read(name: string): FeatureMap {
    return name === 'input' ? this.#pictureMap(NO_PADDING) : this.#maps.get(name)!;
  }

  /** The picture as a feature map, for the steps that cannot read bytes: a 1×1 convolution that changes nothing. */
  #pictureMap(padding: plan.Padding): FeatureMap {
    const { height, width, channels } = this.#backbone.plan.input;
    const identity = new Float32Array(channels * channels);
    for (let i = 0; i < channels; i++) identity[i * channels + i] = 1;
    const [top, bottom, left, right] = padding;
    const shape = { height: height + top + bottom, width: width + left + right, channels };
    const map = new FeatureMap({ shape, padding: NO_PADDING }, this.#program);
    const size = { height: 1, width: 1, inputs: channels, outputs: channels, stride: 1 };
    const filter = {
      weights: identity,
      bias: new Float32Array(channels),
      ...size,
      padding,
      activation: NONE,
    };
    this.#program.step(stem(this.#picture, filter, map));
    return map;
  }

  /** Makes room for a step's output, with the padding that its readers want, cleared. */
  #write(name: string): FeatureMap {
    return this.#allocate(name, this.#paddingFor(name));
  }

  #allocate(name: string, padding: plan.Padding, onePlane = false): FeatureMap {
    const shape = this.#backbone.shapes.get(name)!;
    const map = new FeatureMap({ shape, padding, onePlane }, this.#program);
    this.#maps.set(name, map);
    if (padding.some((side) => side > 0)) this.#program.step(border(map));
    return map;
  }

  #readers(name: string): plan.Step[] {
    return this.#backbone.plan.steps.filter((step) => readsOf(step).includes(name));
  }

  /** The most that any reader wants on each side. */
  #paddingFor(name: string): plan.Padding {
    const most: [number, number, number, number] = [0, 0, 0, 0];
    for (const reader of this.#readers(name)) {
      if (reader.op !== 'conv' && reader.op !== 'depthwise') continue;
      for (const [side, padding] of reader.padding.entries()) most[side] = Math.max(most[side], padding);
    }
    return most;
  }

  #filterOf(step: plan.ConvStep | plan.DepthwiseStep | plan.DenseStep): Filter {
    const filter = this.#filter(step.weights, step.bias, step.activation);
    return step.op === 'dense' ? filter : { ...filter, stride: step.stride, padding: step.padding };
  }

  /** @param weights [inputs, outputs], or those of a convolution. */
  #filter(weights: string, bias: string, activation: plan.Activation): Filter {
    const { tensors, tensorShapes } = this.#backbone;
    const shape = tensorShapes.get(weights)!;
    const [height, width] = shape.length === 2 ? [1, 1] : shape;
    const outputs = shape.at(-1)!;
    const inputs = shape.length === 3 ? 1 : shape.at(-2)!;
    const values = { weights: tensors.get(weights)!, bias: tensors.get(bias)! };
    const still = { stride: 1, padding: NO_PADDING, activation: plan.ACTIVATIONS.indexOf(activation) };
    return { ...values, height, width, inputs, outputs, ...still };
  }
}

function samePadding(a: plan.Padding, b: plan.Padding): boolean {
  return a.every((side, index) => side === b[index]);
}
