/** The one network that a head and its backbone are: what an exported model computes. */
import { defaultEngine } from '../backbone/choose.ts';
import { backboneAt, cutAt, tailOf, tensorNames } from '../backbone/index.ts';
import type { Backbone, Step, Tap, Tail } from '../backbone/index.ts';
import { readsOf } from '../backbone/readers.ts';
import { IntegerPlan } from '../backbone/simd/integer/plan.ts';
import type { Head } from '../head/index.ts';
import { assertCompatible, TAIL_TAP } from '../head/index.ts';

/** Begins the names of what a tail adds; tools read other characters, such as a colon, as their own. */
const TAIL = 'tail/';

export interface Network {
  readonly backbone: Backbone;
  /** Where the codes come from the 8-bit engine: what it makes of the backbone's own steps, a tail's left out. */
  readonly integers?: IntegerPlan;
}

/**
 * @returns the backbone at the head's size, with its taps alone and the steps that they need; behind a tail's cut the steps are there
 * twice, frozen and fine-tuned, as far as the head reads both.
 * @throws HeadwaterError `backbone_mismatch` when the head was made for another backbone, `backbone_invalid` when it has ranges
 * and can't run on 8 bits.
 */
export function networkOf(head: Head, backbone: Backbone): Network {
  assertCompatible(head, backbone.plan);
  const sized = backboneAt(backbone, head.input);
  const whole = head.tail === undefined ? sized : withTail(sized, head.tail);
  const { plan } = whole;
  const read = new Set(head.taps.map((name) => name.replace(TAIL_TAP, TAIL)));
  const taps = plan.taps.filter((tap) => read.has(tap.name));
  const steps = needed(plan.steps, new Set(taps.map((tap) => tap.step)));
  const network = { ...whole, plan: { ...plan, taps, steps }, codeLength: head.codeLength };
  if (defaultEngine(backbone) !== 'simd8') return { backbone: network };
  return {
    backbone: onPicture(network),
    // Of the whole plan: what is rounded together depends on all steps and taps.
    integers: new IntegerPlan(sized),
  };
}

/** Around a picture of integers there are integers. */
function onPicture({ plan, ...backbone }: Backbone): Backbone {
  const padValue = plan.input.padValue.map(Math.round);
  return { ...backbone, plan: { ...plan, input: { ...plan.input, padValue } } };
}

/** The backbone, then the tail's steps and taps under names of their own. */
function withTail(backbone: Backbone, tail: Tail): Backbone {
  const { plan } = backbone;
  const { tailSteps, tailTaps } = cutAt(plan, tail.from);
  const behind = new Set(tailSteps.map((step) => step.name));
  const value = (name: string): string => (behind.has(name) ? TAIL + name : name);
  const tensors = new Map(backbone.tensors);
  const tensorShapes = new Map(backbone.tensorShapes);
  for (const [name, values] of tailOf(backbone, tail).tensors) tensors.set(TAIL + name, values);
  for (const name of tailSteps.flatMap(tensorNames))
    tensorShapes.set(TAIL + name, backbone.tensorShapes.get(name)!);
  const steps = [...plan.steps, ...tailSteps.map((step) => renamed(step, value))];
  const taps = [
    ...plan.taps,
    ...tailTaps.map((tap): Tap => ({ ...tap, name: TAIL + tap.name, step: value(tap.step) })),
  ];
  return { ...backbone, plan: { ...plan, steps, taps }, tensors, tensorShapes };
}

/** A step of the tail: its tensors are the tail's, its inputs what `value` makes of their names. */
function renamed(step: Step, value: (name: string) => string): Step {
  const own = { name: value(step.name), input: value(step.input) };
  switch (step.op) {
    case 'conv':
    case 'depthwise':
    case 'dense':
      return { ...step, ...own, weights: TAIL + step.weights, bias: TAIL + step.bias };
    case 'squeeze-excite':
      return {
        ...step,
        ...own,
        reduceWeights: TAIL + step.reduceWeights,
        reduceBias: TAIL + step.reduceBias,
        expandWeights: TAIL + step.expandWeights,
        expandBias: TAIL + step.expandBias,
      };
    case 'add':
      return { ...step, ...own, other: value(step.other) };
    case 'mean':
      return { ...step, ...own };
  }
}

/** Steps that lead to the wanted ones. */
function needed(steps: readonly Step[], wanted: Set<string>): Step[] {
  const kept: Step[] = [];
  for (const step of steps.toReversed()) {
    if (!wanted.has(step.name)) continue;
    kept.push(step);
    for (const name of readsOf(step)) wanted.add(name);
  }
  return kept.toReversed();
}
