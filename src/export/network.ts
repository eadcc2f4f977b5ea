/** The one network that a head and its backbone are: what an exported model computes. */
import type { Backbone, Plan, Step } from '../backbone/index.ts';
import { tailOf } from '../backbone/index.ts';
import type { Head } from '../head/index.ts';
import { assertCompatible } from '../head/index.ts';

/**
 * @returns the backbone with the head's taps alone, the steps that they need, and the head's fine-tuned weights where it
 * has a tail.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone.
 */
export function networkOf(head: Head, backbone: Backbone): Backbone {
  const { plan } = backbone;
  assertCompatible(head, plan);
  const taps = plan.taps.filter((tap) => head.taps.includes(tap.name));
  const tensors =
    head.tail === undefined
      ? backbone.tensors
      : new Map([...backbone.tensors, ...tailOf(backbone, head.tail).tensors]);
  const pruned: Plan = { ...plan, taps, steps: needed(plan.steps, new Set(taps.map((tap) => tap.step))) };
  return { ...backbone, plan: pruned, tensors, codeLength: head.codeLength };
}

/** [D] 1 / deviation, and [C × D] weights and [C] bias divided by the temperature. */
export function scaledHead({ deviation, weights, bias, temperature }: Head): {
  inverse: Float32Array;
  weights: Float32Array;
  bias: Float32Array;
} {
  return {
    inverse: deviation.map((value) => 1 / value),
    weights: weights.map((value) => value / temperature),
    bias: bias.map((value) => value / temperature),
  };
}

/** Steps that lead to the wanted ones. */
function needed(steps: readonly Step[], wanted: Set<string>): Step[] {
  const kept: Step[] = [];
  for (const step of steps.toReversed()) {
    if (!wanted.has(step.name)) continue;
    kept.push(step);
    wanted.add(step.input);
    if (step.op === 'add') wanted.add(step.other);
  }
  return kept.toReversed();
}
