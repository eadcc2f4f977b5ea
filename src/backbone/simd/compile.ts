/**
 * Compiles a backbone's plan into a program for the engine: decides which steps are fused, how each map lies in memory
 * and where each tap's statistic comes from. What a single kernel wants to know is its file's business, in kernels/.
 */
import { WHOLE } from '../cut.ts';
import type { Backbone } from '../load.ts';
import type * as plan from '../plan.ts';
import type { Compiled, CompileOptions, Output } from './compiled.ts';
import { filterOf, identityFilter, squeezeExciteFilters } from './filters.ts';
import { findFusedAdds, findFusedDepthwise } from './fuse.ts';
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
import { readMap } from './map-values.ts';
import { FeatureMap, NO_PADDING, vectorBytes } from './map.ts';
import { Program, type Region } from './program.ts';
import { paddingFor, readersOf, samePadding } from '../readers.ts';

export function compile(backbone: Backbone, options: CompileOptions = {}): Compiled {
  return new Compiler(backbone, options).compile();
}

/** Terms of a convolution's sum up to which 16 bits leave the weights enough of the sum's 31. */
const MOST_TERMS_IN_16_BITS = 16_384;

class Compiler {
  readonly #backbone: Backbone;
  readonly #bits: 16 | 32;
  readonly #program = new Program();
  readonly #picture: Picture;
  readonly #input: Compiled['input'];
  readonly #maps = new Map<string, FeatureMap>();
  readonly #outputs = new Map<string, Output>();
  readonly #statistics = new Map<string, Statistics>();
  readonly #quantised = new Map<string, FeatureMap>();
  /** Outputs of squeeze-and-excite that exist only in 16 bits: factors are applied when `of` is quantised. */
  readonly #factors = new Map<string, { factors: Region; of: string }>();
  /** The steps whose output has to exist for the host. */
  readonly #written: ReadonlySet<string>;
  readonly #tapped: ReadonlySet<string>;
  /** The steps of whose output a tap reads the deviation. */
  readonly #deviated: ReadonlySet<string>;
  /** The adds that the convolution before them does on the way, by that convolution's name. */
  readonly #fusedAdds: ReadonlyMap<string, plan.AddStep>;
  /** The depthwise convolutions that run block by block with the convolution they read, by that convolution's name. */
  readonly #fusedDepthwise: ReadonlyMap<string, plan.DepthwiseStep>;

  constructor(backbone: Backbone, { bits = 32, from = WHOLE, written = [] }: CompileOptions) {
    const { steps, taps } = backbone.plan;
    this.#backbone = backbone;
    this.#bits = bits;
    this.#written = new Set(written);
    this.#tapped = new Set(taps.map((tap) => tap.step));
    this.#deviated = new Set(taps.filter((tap) => tap.statistic === 'deviation').map((tap) => tap.step));
    const apart = this.#tapped.union(this.#written);
    this.#fusedAdds = findFusedAdds(steps, apart);
    this.#fusedDepthwise = findFusedDepthwise(steps, apart);
    this.#picture = makeRoom(this.#program, backbone.plan.input);
    this.#input = { shape: backbone.shapes.get(from)!, place: this.#inputAt(from) };
  }

  compile(): Compiled {
    const { steps, taps } = this.#backbone.plan;
    const fused = [...this.#fusedAdds.values(), ...this.#fusedDepthwise.values()];
    const skipped = new Set(fused.map((step) => step.name));
    for (const step of steps) {
      if (skipped.has(step.name)) continue;
      this.#step(step);
      const done = (this.#fusedAdds.get(step.name) ?? this.#fusedDepthwise.get(step.name) ?? step).name;
      if (this.#tapped.has(done)) this.#keep(this.#about(done));
      this.#noteOutput(done);
    }
    return {
      program: this.#program,
      input: this.#input,
      taps: taps.map(({ step, channels, statistic = 'mean' }) => {
        const { means, deviations } = this.#about(step);
        return { region: statistic === 'deviation' ? deviations! : means.region, channels };
      }),
      outputs: this.#outputs,
    };
  }

  /** Makes room for what the host writes before a run. */
  #inputAt(from: string): Region | FeatureMap {
    if (from === WHOLE) {
      this.#program.touch(this.#picture.pixels);
      return this.#picture.pixels;
    }
    const layout = { shape: this.#backbone.shapes.get(from)!, padding: this.#paddingFor(from) };
    const map = new FeatureMap(layout, this.#program);
    this.#program.touch(map.region);
    this.#clearBorder(map);
    this.#maps.set(from, map);
    return map;
  }

  /** Notes where the output of a step that has just run lies, if it lies anywhere. */
  #noteOutput(name: string): void {
    if (this.#outputs.has(name) || this.#factors.has(name)) return;
    this.#showOutput(name, this.#maps.get(name)!);
  }

  #showOutput(name: string, map: FeatureMap): void {
    this.#program.touch(map.region);
    this.#outputs.set(name, {
      shape: map.shape,
      read: (buffer, values) => readMap(map, new Float32Array(buffer), values),
      after: this.#program.length,
    });
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
    const filter = filterOf(this.#backbone, step);
    if (step.input === WHOLE) return this.#program.step(stem(this.#picture, filter, this.#write(step.name)));
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
        blockwise([input, filter], [between, filterOf(this.#backbone, depthwise)], output, about),
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
    const filter = filterOf(this.#backbone, step);
    const output = this.#write(step.name);
    if (step.input !== WHOLE) return this.#program.step(depthwise(this.#read(step.input), filter, output));
    // Around the picture lie the plan's padding values, which are part of its map then.
    const padded = this.#pictureMap(step.padding);
    return this.#program.step(depthwise(padded, { ...filter, padding: NO_PADDING }, output));
  }

  #squeezeExcite(step: plan.SqueezeExciteStep): void {
    const { name } = step;
    const input = this.#read(step.input);
    const [squeeze, excite] = squeezeExciteFilters(this.#backbone, step);
    const squeezed = this.#dense(this.#about(step.input).means, squeeze);
    const factors = this.#dense(squeezed, excite).region;
    const inPlace = step.input !== WHOLE && this.#readers(step.input).length === 1;
    if (!inPlace || !samePadding(input.padding, this.#paddingFor(name)))
      return this.#program.step(elementwise(input, this.#write(name), factors));
    this.#maps.set(name, input);
    if (!this.#isReadIn16Bits(name)) return this.#program.step(elementwise(input, input, factors));
    this.#factors.set(name, { factors, of: step.input });
    if (!this.#written.has(name)) return;
    const output = new FeatureMap({ shape: input.shape, padding: NO_PADDING }, this.#program);
    this.#program.step(elementwise(input, output, factors));
    this.#showOutput(name, output);
  }

  /** Whether nothing but convolutions in 16 bits reads a step's output. */
  #isReadIn16Bits(name: string): boolean {
    const in16 = (step: plan.Step) =>
      step.op === 'conv' && this.#bitsFor(filterOf(this.#backbone, step)) === 16;
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
    return name === WHOLE ? this.#pictureMap(NO_PADDING) : this.#maps.get(name)!;
  }

  /** The picture as a feature map, for the steps that cannot read bytes. */
  #pictureMap(padding: plan.Padding): FeatureMap {
    const { height, width, channels } = this.#backbone.plan.input;
    const [top, bottom, left, right] = padding;
    const shape = { height: height + top + bottom, width: width + left + right, channels };
    const map = new FeatureMap({ shape, padding: NO_PADDING }, this.#program);
    this.#program.step(stem(this.#picture, identityFilter(channels, padding), map));
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
    this.#clearBorder(map);
    return map;
  }

  #clearBorder(map: FeatureMap): void {
    if (map.padding.some((side) => side > 0)) this.#program.step(border(map));
  }

  #readers(name: string): plan.Step[] {
    return readersOf(this.#backbone.plan.steps, name);
  }

  #paddingFor(name: string): plan.Padding {
    return paddingFor(this.#backbone.plan.steps, name);
  }
}
