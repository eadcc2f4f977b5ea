/** A plan on integers: which codes stand for each step's output, and between which codes each layer computes. */
import { WHOLE } from '../../cut.ts';
import type { Backbone } from '../../load.ts';
import type * as plan from '../../plan.ts';
import { rangesOf, type Ranges } from '../../ranges.ts';
import { filterOf } from '../filters.ts';
import { readersOf } from '../../readers.ts';
import { boundsOf, codesOf, PICTURE_CODES, type Codes } from './codes.ts';
import type { IntegerStep } from './constants.ts';
import { checkSteps, fusedAdds } from './support.ts';

export type Weighted = plan.ConvStep | plan.DepthwiseStep | plan.DenseStep;

export class IntegerPlan {
  /** The adds that the convolution before them does on the way, by that convolution's name. */
  readonly fusedAdds: ReadonlyMap<string, plan.AddStep>;
  readonly #backbone: Backbone;
  readonly #ranges: Ranges;

  /** @throws HeadwaterError `backbone_invalid` for plans that have no ranges, or steps that floats alone can run. */
  constructor(backbone: Backbone) {
    const { steps, taps } = backbone.plan;
    this.#backbone = backbone;
    this.#ranges = rangesOf(backbone);
    checkSteps(steps, this.#ranges);
    this.fusedAdds = fusedAdds(steps, new Set(taps.map((tap) => tap.step)), this.#ranges);
  }

  has(name: string): boolean {
    return this.#ranges.of.has(name);
  }

  /** Of a step's output. */
  codes(name: string): Codes {
    return codesOf(this.#ranges.of.get(name)!, this.#bitsOf(name));
  }

  /** A step with weights, up to where it is rounded. */
  layer(step: Weighted): IntegerStep {
    return this.#layer(step, this.codes(step.name));
  }

  /** A convolution that is rounded together with the addition behind it. @returns also the name of the map that it adds. */
  layerWithAdd(step: Weighted, add: plan.AddStep): { layer: IntegerStep; other: string } {
    const other = add.input === step.name ? add.other : add.input;
    return { layer: this.#layer(step, this.codes(add.name), this.codes(other)), other };
  }

  #layer(step: Weighted, output: Codes, other?: Codes): IntegerStep {
    const input = step.input === WHOLE ? PICTURE_CODES : this.codes(step.input);
    return {
      name: step.name,
      filter: filterOf(this.#backbone, step),
      ends: { input, output, other },
      bounds: boundsOf(output, step.activation),
    };
  }

  /** Of a step's output: those of the steps that read it, which agree. */
  #bitsOf(name: string): 8 | 16 {
    return readersOf(this.#backbone.plan.steps, name).some((step) => this.#ranges.wide.has(step.name))
      ? 16
      : 8;
  }
}
