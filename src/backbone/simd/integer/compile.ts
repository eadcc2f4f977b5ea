/**
 * Compiles a backbone's plan into a program that computes with integers: codes of 8 bits, and of 16 where the ranges in
 * its weights say so. What a single kernel wants to know is its file's business, in kernels/.
 */
import { WHOLE } from '../../cut.ts';
import type { Backbone } from '../../load.ts';
import type * as plan from '../../plan.ts';
import type { Compiled, Output } from '../compiled.ts';
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
import { paddingFor } from '../../readers.ts';
import { repeated } from './constants.ts';
import { IntegerPlan } from './plan.ts';
import { readCodes } from './read-codes.ts';

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

class IntegerCompiler {
  readonly #backbone: Backbone;
  readonly #integers: IntegerPlan;
  readonly #relaxed: boolean;
  readonly #program = new Program();
  readonly #picture: Picture;
  readonly #maps = new Map<string, FeatureMap>();
  readonly #outputs = new Map<string, Output>();
  /** The steps whose output has to exist for the host. */
  readonly #written: ReadonlySet<string>;
  /** The depthwise convolutions that run block by block with the convolution they read, by that convolution's name. */
  readonly #fusedDepthwise: ReadonlyMap<string, plan.DepthwiseStep>;

  constructor(backbone: Backbone, { relaxed, written = [] }: IntegerOptions) {
    const { steps, taps, input } = backbone.plan;
    this.#backbone = backbone;
    this.#relaxed = relaxed;
    this.#integers = new IntegerPlan(backbone);
    const tapped = new Set(taps.map((tap) => tap.step));
    this.#written = new Set(written);
    this.#fusedDepthwise = findFusedDepthwise(steps, tapped.union(this.#written));
    this.#picture = makeRoom(this.#program, input);
    this.#program.touch(this.#picture.pixels);
  }

  compile(): Compiled {
    const { steps, taps, input } = this.#backbone.plan;
    const fused = [...this.#integers.fusedAdds.values(), ...this.#fusedDepthwise.values()];
    const skipped = new Set(fused.map((step) => step.name));
    const regions = new Map<plan.Tap, Region>();
    for (const step of steps) {
      if (skipped.has(step.name)) continue;
      this.#step(step);
      const done = (this.#integers.fusedAdds.get(step.name) ?? this.#fusedDepthwise.get(step.name) ?? step)
        .name;
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
        const [a, b, sum] = names.map((name) => this.#integers.codes(name));
        return this.#run(add8([input, other, this.#write(step.name)], [a, b, sum]));
      }
      case 'mean': {
        const pooled = { map: this.#write(step.name), codes: this.#integers.codes(step.name) };
        return this.#run(
          statistics8(this.#maps.get(step.input)!, this.#integers.codes(step.input), { pooled }),
        );
      }
      case 'squeeze-excite':
        throw new Error('checkSteps lets none through');
    }
  }

  #conv(step: plan.ConvStep | plan.DenseStep): void {
    if (step.input === WHOLE)
      return this.#run(stem16(this.#picture, this.#integers.layer(step), this.#write(step.name)));
    const input = this.#maps.get(step.input)!;
    const depthwise = this.#fusedDepthwise.get(step.name);
    if (depthwise !== undefined) {
      const between = this.#allocate(step.name, depthwise.padding, true);
      const output = this.#write(depthwise.name);
      const second = this.#depthwise(depthwise, between, output);
      return this.#run(blockwise8(this.#convOf(step, input, between), second, between.bits === 16 ? 16 : 8));
    }
    const add = this.#integers.fusedAdds.get(step.name);
    if (add === undefined || this.#written.has(step.name))
      this.#run(this.#convOf(step, input, this.#write(step.name)));
    if (add === undefined) return;
    const { layer, other } = this.#integers.layerWithAdd(step, add);
    this.#run(conv8(input, layer, this.#write(add.name), this.#maps.get(other)));
  }

  #convOf(step: plan.ConvStep | plan.DenseStep, input: FeatureMap, output: FeatureMap): Step {
    const layer = this.#integers.layer(step);
    return input.bits === 16 ? conv16(input, layer, output) : conv8(input, layer, output);
  }

  #depthwise(step: plan.DepthwiseStep, input: FeatureMap, output: FeatureMap): Step {
    const layer = this.#integers.layer(step);
    if (input.bits === 16) return depthwise16(input, layer, output);
    return depthwise8(input, layer, output, this.#relaxed);
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
    this.#run(statistics8(map, this.#integers.codes(name), { means, deviations }));
    for (const region of wanted.values()) this.#program.keep(region);
  }

  /** Notes where the output of a step that has just run lies, if it lies anywhere as a whole. */
  #noteOutput(name: string): void {
    const map = this.#maps.get(name);
    if (map === undefined || map.planes !== map.blocks) return;
    this.#program.touch(map.region);
    const codes = this.#integers.codes(name);
    this.#outputs.set(name, {
      shape: map.shape,
      read: (buffer, values) => readCodes(map, codes, buffer, values),
      after: this.#program.length,
    });
  }

  /** Makes room for a step's output, with the padding that its readers want, filled. */
  #write(name: string): FeatureMap {
    return this.#allocate(name, paddingFor(this.#backbone.plan.steps, name));
  }

  #allocate(name: string, padding: plan.Padding, onePlane = false): FeatureMap {
    const shape = this.#backbone.shapes.get(name)!;
    const { bits, zero } = this.#integers.codes(name);
    const map = new FeatureMap({ shape, padding, bits, onePlane }, this.#program);
    this.#maps.set(name, map);
    if (padding.some((side) => side > 0)) this.#run(border(map, repeated(zero, bits)));
    return map;
  }

  #run(step: Step): void {
    this.#program.step(step);
  }
}
