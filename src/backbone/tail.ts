/**
 * A tail: fine-tuned weights for the steps behind a cut. The steps themselves are the backbone's own, so a tail is a
 * few tensors, and a head with a tail reads the code that trunk and tail make together.
 */
import { HeadwaterError } from '../errors.ts';
import type { Cut } from './cut.ts';
import { cutAt } from './cut.ts';
import type { Backbone } from './load.ts';
import { codeLength, type Plan, type Step } from './plan.ts';

export interface Tail {
  /** The step whose map the tail reads, or 'input' when the tail is the whole network. */
  readonly from: string;
  /** Weights and biases of the steps behind it, by the backbone's names, as many numbers in the same order. */
  readonly tensors: Backbone['tensors'];
}

/** Names of the tensors that a step computes with: weights, bias, and for squeeze-excite both of both its layers. */
export function tensorNames(step: Step): string[] {
  switch (step.op) {
    case 'conv':
    case 'depthwise':
    case 'dense':
      return [step.weights, step.bias];
    case 'squeeze-excite':
      return [step.reduceWeights, step.reduceBias, step.expandWeights, step.expandBias];
    case 'add':
    case 'mean':
      return [];
  }
}

/** The trunk of a cut as a backbone of its own: it runs no step behind the cut, and its code is that of its taps. */
export function trunkOf(backbone: Backbone, cut: Cut): Backbone {
  return part(backbone, { ...backbone.plan, steps: cut.trunkSteps, taps: cut.trunkTaps }, backbone.tensors);
}

/** The trunk before a cut, for an engine that computes the map at the cut and no code. */
export function trunkFor(backbone: Backbone, from: string): Backbone {
  return trunkOf(backbone, { ...cutAt(backbone.plan, from), trunkTaps: [] });
}

/**
 * The tail as a backbone of its own, whose first steps read the map `tail.from`.
 * @throws HeadwaterError `backbone_mismatch` when a tensor is missing, superfluous or of another size.
 */
export function tailOf(backbone: Backbone, tail: Tail): Backbone {
  const cut = cutAt(backbone.plan, tail.from);
  checkTensors(backbone, cut, tail);
  return part(backbone, { ...backbone.plan, steps: cut.tailSteps, taps: cut.tailTaps }, tail.tensors);
}

function part(backbone: Backbone, plan: Plan, tensors: Backbone['tensors']): Backbone {
  return { ...backbone, plan, tensors, codeLength: codeLength(plan) };
}

function checkTensors(backbone: Backbone, cut: Cut, { tensors }: Tail): void {
  const wanted = new Set(cut.tailSteps.flatMap(tensorNames));
  for (const name of wanted) {
    const [found, length] = [tensors.get(name)?.length, backbone.tensors.get(name)!.length];
    if (found !== length)
      throw mismatch(`its tensor '${name}' has ${found ?? 'no'} numbers instead of ${length}`);
  }
  for (const name of tensors.keys()) {
    if (!wanted.has(name)) throw mismatch(`no step behind '${cut.from}' has a tensor '${name}'`);
  }
}

function mismatch(what: string): HeadwaterError {
  return new HeadwaterError('backbone_mismatch', `The tail does not fit the backbone: ${what}.`);
}
