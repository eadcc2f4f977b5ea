/**
 * Compiles a backbone's plan into a program that computes with integers: codes of 8 bits, and of 16 where the ranges in
 * its weights say so. What a single kernel wants to know is its file's business, in kernels/.
 */
import { WHOLE } from '../../cut.ts';
import type { Backbone } from '../../load.ts';
import type * as plan from '../../plan.ts';
import { rangesOf, type Ranges } from '../../ranges.ts';
import type { Compiled, Output } from '../compiled.ts';
import { filterOf } from '../filters.ts';
import { findFusedDepthwise } from '../fuse.ts';
import { add8 } from '../kernels/add8.ts';
import { blockwise8 } from '../kernels/blockwise8.ts';
import { border } from '../kernels/border.ts';
import { conv16 } from '../kernels/conv16.ts';
import { conv8 } from '../kernels/conv8.ts';
import { depthwise16 } from '../kernels/depthwise16.ts';
import { depthwise8 } from '../kernels/depthwise8.ts';
import { statistics8 } from '../kernels/statistics8.ts';
import { makeRoom, type Picture } from '../kernels/stem.ts';
import { stem16 } from '../kernels/stem16.ts';
import { FeatureMap, vectorBytes } from '../map.ts';
import { Program, type Region, type Step } from '../program.ts';
import { paddingFor, readersOf } from '../readers.ts';
import { boundsOf, codesOf, PICTURE_CODES, type Codes } from './codes.ts';
import { repeated, type IntegerStep } from './constants.ts';
import { readCodes } from './read-codes.ts';
import { checkSteps, fusedAdds } from './support.ts';

export interface IntegerOptions {
  /** Whether the program is to run on the build with relaxed SIMD. */
  readonly relaxed: boolean;
  /** Names of steps whose output has to exist. What is computed stays the same. */
  readonly written?: Iterable<string>;
}

/** @throws HeadwaterError `backbone_invalid` for plans that have no ranges, or steps that floats alone can run. */
export function compileIntegers(backbone: Backbone, options: IntegerOptions): Compiled {
  return new IntegerCompiler(backbone, options).compile();
}

type Weighted = plan.ConvStep | plan.DepthwiseStep | plan.DenseStep;

class IntegerCompiler {
  readonly #backbone: Backbone;
  readonly #ranges: Ranges;
  readonly #relaxed: boolean;
  readonly #program = new Program();
  readonly #picture: Picture;
  readonly #maps = new Map<string, FeatureMap>();
  readonly #outputs = new Map<string, Output>();
  /** The steps whose output has to exist for the host. */
  readonly #written: ReadonlySet<string>;
  /** The adds that the convolution before them does on the way, by that convolution's name. */
  readonly #fusedAdds: ReadonlyMap<string, plan.AddStep>;
  /** The depthwise convolutions that run block by block with the convolution they read, by that convolution's name. */
  readonly #fusedDepthwise: ReadonlyMap<string, plan.DepthwiseStep>;

  constructor(backbone: Backbone, { relaxed, written = [] }: IntegerOptions) {
    const { steps, taps, input } = backbone.plan;
    this.#backbone = backbone;
    this.#relaxed = relaxed;
    this.#ranges = rangesOf(backbone);
    checkSteps(steps, this.#ranges);
    const tapped = new Set(taps.map((tap) => tap.step));
    this.#written = new Set(written);
    this.#fusedAdds = fusedAdds(steps, tapped, this.#ranges);
    this.#fusedDepthwise = findFusedDepthwise(steps, tapped.union(this.#written));
    this.#picture = makeRoom(this.#program, input);
    this.#program.touch(this.#picture.pixels);
  }

  compile(): Compiled {
    const { steps, taps, input } = this.#backbone.plan;
    const fused = [...this.#fusedAdds.values(), ...this.#fusedDepthwise.values()];
    const skipped = new Set(fused.map((step) => step.name));
    const regions = new Map<plan.Tap, Region>();
    for (const step of steps) {
      if (skipped.has(step.name)) continue;
      this.#step(step);
      const done = (this.#fusedAdds.get(step.name) ?? this.#fusedDepthwise.get(step.name) ?? step).name;
      for (const name of new Set([step.name, done])) this.#noteOutput(name);
      const read = taps.filter((tap) => tap.step === done);
      if (read.length > 0) this.#tap(done, read, regions);
    }
    return {
      program: this.#program,
      input: { shape: input, place: this.#picture.pixels },
      taps: taps.map((tap) => ({ region: regions.get(tap)!, channels: tap.channels })),
      outputs: this.#outputs,
    };
  }

  #step(step: plan.Step): void {
    switch (step.op) {
      case 'conv':
      case 'dense':
        return this.#conv(step);
      case 'depthwise':
        return this.#run(this.#depthwise(step, this.#maps.get(step.input)!, this.#write(step.name)));
      case 'add': {
        const names = [step.input, step.other, step.name] as const;
        const [input, other] = [this.#maps.get(step.input)!, this.#maps.get(step.other)!];
        const [a, b, sum] = names.map((name) => this.#codes(name));
        return this.#run(add8([input, other, this.#write(step.name)], [a, b, sum]));
      }
      case 'mean': {
        const pooled = { map: this.#write(step.name), codes: this.#codes(step.name) };
        return this.#run(statistics8(this.#maps.get(step.input)!, this.#codes(step.input), { pooled }));
      }
      case 'squeeze-excite':
        throw new Error('checkSteps lets none through');
    }
  }

  #conv(step: plan.ConvStep | plan.DenseStep): void {
    if (step.input === WHOLE)
      return this.#run(stem16(this.#picture, this.#integers(step), this.#write(step.name)));
    const input = this.#maps.get(step.input)!;
    const depthwise = this.#fusedDepthwise.get(step.name);
    if (depthwise !== undefined) {
      const between = this.#allocate(step.name, depthwise.padding, true);
      const output = this.#write(depthwise.name);
      const second = this.#depthwise(depthwise, between, output);
      return this.#run(blockwise8(this.#convOf(step, input, between), second, between.bits === 16 ? 16 : 8));
    }
    const add = this.#fusedAdds.get(step.name);
    if (add === undefined || this.#written.has(step.name))
      this.#run(this.#convOf(step, input, this.#write(step.name)));
    if (add === undefined) return;
    const other = add.input === step.name ? add.other : add.input;
    const integers = this.#integers(step, { output: this.#codes(add.name), other: this.#codes(other) });
    const output = this.#write(add.name);
    this.#run(conv8(input, integers, output, this.#maps.get(other)));
  }

  #convOf(step: plan.ConvStep | plan.DenseStep, input: FeatureMap, output: FeatureMap): Step {
    const integers = this.#integers(step);
    return input.bits === 16 ? conv16(input, integers, output) : conv8(input, integers, output);
  }

  #depthwise(step: plan.DepthwiseStep, input: FeatureMap, output: FeatureMap): Step {
    const integers = this.#integers(step);
    if (input.bits === 16) return depthwise16(input, integers, output);
    return depthwise8(input, integers, output, this.#relaxed);
  }

  #integers(step: Weighted, { output, other }: { output?: Codes; other?: Codes } = {}): IntegerStep {
    const input = step.input === WHOLE ? PICTURE_CODES : this.#codes(step.input);
    const ends = { input, output: output ?? this.#codes(step.name), other };
    const filter = filterOf(this.#backbone, step);
    return { name: step.name, filter, ends, bounds: boundsOf(ends.output, step.activation) };
  }

  /** Statistics of a step's output that taps read. */
  #tap(name: string, taps: readonly plan.Tap[], regions: Map<plan.Tap, Region>): void {
    const map = this.#maps.get(name)!;
    const wanted = new Map<plan.Statistic, Region>();
    for (const tap of taps) {
      const { statistic = 'mean' } = tap;
      const region = wanted.get(statistic) ?? this.#program.scratch(vectorBytes(map.shape.channels));
      wanted.set(statistic, region);
      regions.set(tap, region);
    }
    const [means, deviations] = [wanted.get('mean'), wanted.get('deviation')];
    this.#run(statistics8(map, this.#codes(name), { means, deviations }));
    for (const region of wanted.values()) this.#program.keep(region);
  }

  /** Notes where the output of a step that has just run lies, if it lies anywhere as a whole. */
  #noteOutput(name: string): void {
    const map = this.#maps.get(name);
    if (map === undefined || map.planes !== map.blocks) return;
    this.#program.touch(map.region);
    const codes = this.#codes(name);
    this.#outputs.set(name, {
      shape: map.shape,
      read: (buffer, values) => readCodes(map, codes, buffer, values),
      after: this.#program.length,
    });
  }

  #codes(name: string): Codes {
    return codesOf(this.#ranges.of.get(name)!, this.#bitsOf(name));
  }

  /** Of a step's output: those of the steps that read it, which agree. */
  #bitsOf(name: string): 8 | 16 {
    return readersOf(this.#backbone.plan.steps, name).some((step) => this.#ranges.wide.has(step.name))
      ? 16
      : 8;
  }

  /** Makes room for a step's output, with the padding that its readers want, filled. */
  #write(name: string): FeatureMap {
    return this.#allocate(name, paddingFor(this.#backbone.plan.steps, name));
  }

  #allocate(name: string, padding: plan.Padding, onePlane = false): FeatureMap {
    const shape = this.#backbone.shapes.get(name)!;
    const { bits, zero } = this.#codes(name);
    const map = new FeatureMap({ shape, padding, bits, onePlane }, this.#program);
    this.#maps.set(name, map);
    if (padding.some((side) => side > 0)) this.#run(border(map, repeated(zero, bits)));
    return map;
  }

  #run(step: Step): void {
    this.#program.step(step);
  }
}
