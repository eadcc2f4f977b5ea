/**
 * Shape inference: walks a plan and says how large each step's output is, checking on the way that every name exists,
 * that each weight has the shape its step needs and that nothing grows beyond bounds. An engine may rely on all of it.
 */
import { HeadwaterError } from '../errors.ts';
import type { ConvStep, DenseStep, DepthwiseStep, Plan, SqueezeExciteStep, Step } from './plan.ts';
import { PLAN_LIMITS } from './schema.ts';

/** A feature map of one picture. */
export interface MapShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Looks a tensor's shape up by name; undefined when there is none. */
export type ShapeOf = (tensor: string) => readonly number[] | undefined;

/**
 * @returns the output shape of every step by its name, and of 'input'.
 * @throws HeadwaterError `backbone_invalid` naming the step or tap that does not fit.
 */
export function inferShapes(plan: Plan, shapeOf: ShapeOf): Map<string, MapShape> {
  const { height, width, channels, padValue } = plan.input;
  if (padValue.length !== channels) {
    throw invalid(`input.padValue has ${padValue.length} values for ${channels} channels`);
  }
  const shapes = new Map<string, MapShape>([['input', { height, width, channels }]]);
  for (const step of plan.steps) {
    if (shapes.has(step.name)) throw invalid(`two steps are named '${step.name}'`);
    const shape = new StepChecker(step, shapes, shapeOf).output();
    if (shape.height * shape.width * shape.channels > PLAN_LIMITS.activationElements) {
      throw invalid(
        `the output of step '${step.name}' is larger than ${PLAN_LIMITS.activationElements} elements`,
      );
    }
    shapes.set(step.name, shape);
  }
  checkTaps(plan, shapes);
  return shapes;
}

function checkTaps(plan: Plan, shapes: ReadonlyMap<string, MapShape>): void {
  const names = new Set<string>();
  for (const tap of plan.taps) {
    if (names.has(tap.name)) throw invalid(`two taps are named '${tap.name}'`);
    names.add(tap.name);
    const shape = shapes.get(tap.step);
    if (shape === undefined || tap.step === 'input') {
      throw invalid(`tap '${tap.name}' reads '${tap.step}', which is no step`);
    }
    if (shape.channels !== tap.channels) {
      throw invalid(
        `tap '${tap.name}' claims ${tap.channels} channels where step '${tap.step}' has ${shape.channels}`,
      );
    }
  }
}

class StepChecker {
  readonly #step: Step;
  readonly #shapes: ReadonlyMap<string, MapShape>;
  readonly #shapeOf: ShapeOf;

  constructor(step: Step, shapes: ReadonlyMap<string, MapShape>, shapeOf: ShapeOf) {
    this.#step = step;
    this.#shapes = shapes;
    this.#shapeOf = shapeOf;
  }

  output(): MapShape {
    const step = this.#step;
    const input = this.#map(step.input);
    switch (step.op) {
      case 'conv':
        return this.#conv(step, input);
      case 'depthwise':
        return this.#depthwise(step, input);
      case 'squeeze-excite':
        return this.#squeezeExcite(step, input);
      case 'add':
        return this.#add(input, this.#map(step.other));
      case 'mean':
        return { height: 1, width: 1, channels: input.channels };
      case 'dense':
        return this.#dense(step, input);
    }
  }

  #conv(step: ConvStep, input: MapShape): MapShape {
    const [kernelHeight, kernelWidth, ins, outs] = this.#tensor(step.weights, 4);
    if (ins !== input.channels)
      throw this.#unfit(`its weights read ${ins} channels, its input has ${input.channels}`);
    return this.#convolved(step, input, kernelHeight, kernelWidth, outs);
  }

  #depthwise(step: DepthwiseStep, input: MapShape): MapShape {
    const [kernelHeight, kernelWidth, channels] = this.#tensor(step.weights, 3);
    if (channels !== input.channels) {
      throw this.#unfit(`its weights read ${channels} channels, its input has ${input.channels}`);
    }
    return this.#convolved(step, input, kernelHeight, kernelWidth, channels);
  }

  #convolved(
    step: ConvStep | DepthwiseStep,
    input: MapShape,
    kernelHeight: number,
    kernelWidth: number,
    channels: number,
  ): MapShape {
    this.#vector(step.bias, channels);
    if (step.batchNorm !== undefined) {
      this.#vector(step.batchNorm.gamma, channels);
      this.#vector(step.batchNorm.beta, channels);
    }
    if (Math.max(kernelHeight, kernelWidth) > PLAN_LIMITS.kernelSide) {
      throw this.#unfit(`its kernel is larger than ${PLAN_LIMITS.kernelSide}`);
    }
    const [top, bottom, left, right] = step.padding;
    const height = Math.floor((input.height + top + bottom - kernelHeight) / step.stride) + 1;
    const width = Math.floor((input.width + left + right - kernelWidth) / step.stride) + 1;
    if (height < 1 || width < 1) throw this.#unfit('its kernel is larger than its padded input');
    return { height, width, channels };
  }

  #squeezeExcite(step: SqueezeExciteStep, input: MapShape): MapShape {
    const [ins, squeezed] = this.#tensor(step.reduceWeights, 2);
    const [back, outs] = this.#tensor(step.expandWeights, 2);
    if (ins !== input.channels || back !== squeezed || outs !== input.channels) {
      throw this.#unfit(
        `its weights [${ins}, ${squeezed}] and [${back}, ${outs}] don't fit ${input.channels} channels`,
      );
    }
    this.#vector(step.reduceBias, squeezed);
    this.#vector(step.expandBias, outs);
    return input;
  }

  #add(input: MapShape, other: MapShape): MapShape {
    if (input.height !== other.height || input.width !== other.width || input.channels !== other.channels) {
      throw this.#unfit('the two maps to add differ in shape');
    }
    return input;
  }

  #dense(step: DenseStep, input: MapShape): MapShape {
    const [ins, outs] = this.#tensor(step.weights, 2);
    if (input.height !== 1 || input.width !== 1)
      throw this.#unfit('a dense step reads a 1×1 map; put a mean before it');
    if (ins !== input.channels)
      throw this.#unfit(`its weights read ${ins} channels, its input has ${input.channels}`);
    this.#vector(step.bias, outs);
    return { height: 1, width: 1, channels: outs };
  }

  #map(name: string): MapShape {
    const shape = this.#shapes.get(name);
    if (shape === undefined) throw this.#unfit(`it reads '${name}', which no step before it writes`);
    return shape;
  }

  #tensor(name: string, rank: number): readonly number[] {
    const shape = this.#shapeOf(name);
    if (shape === undefined) throw this.#unfit(`the weights file has no tensor '${name}'`);
    const bounded = shape.every((side) => side >= 1 && side <= PLAN_LIMITS.channels);
    if (shape.length !== rank || !bounded) {
      throw this.#unfit(`tensor '${name}' is [${shape.join(', ')}] where ${rank} dimensions from 1 to ${PLAN_LIMITS.channels} are wanted`); // prettier-ignore
    }
    return shape;
  }

  #vector(name: string, length: number): void {
    const [actual] = this.#tensor(name, 1);
    if (actual !== length)
      throw this.#unfit(`tensor '${name}' has ${actual} elements where ${length} are wanted`);
  }

  #unfit(what: string): HeadwaterError {
    return invalid(`step '${this.#step.name}': ${what}`);
  }
}

function invalid(what: string): HeadwaterError {
  return new HeadwaterError('backbone_invalid', `The backbone's plan is not valid: ${what}.`);
}
