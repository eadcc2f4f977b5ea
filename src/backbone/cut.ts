/**
 * Cuts a network in two: a trunk, which stays frozen and is shared, and a tail from one feature map on, of which there
 * may be fine-tuned copies. A cut is possible wherever a single map crosses it.
 */
import { HeadwaterError } from '../errors.ts';
import type { Plan, Step, Tap } from './plan.ts';
import { readsOf } from './readers.ts';

/** The picture itself: a tail from here on is the whole network. */
export const WHOLE = 'input';

export interface Cut {
  /** The step whose output the tail reads, or 'input'. */
  readonly from: string;
  readonly trunkSteps: readonly Step[];
  readonly tailSteps: readonly Step[];
  /** In the order of the CNN code. */
  readonly trunkTaps: readonly Tap[];
  readonly tailTaps: readonly Tap[];
}

/**
 * @param from a step's name, or 'input'.
 * @throws HeadwaterError `backbone_mismatch` when there is no such step, or when steps behind it read maps before it.
 */
export function cutAt(plan: Plan, from: string): Cut {
  const index = plan.steps.findIndex((step) => step.name === from);
  if (index < 0 && from !== WHOLE) throw mismatch(`the backbone ${plan.name} has no step '${from}'`);
  const tailSteps = plan.steps.slice(index + 1);
  const names = new Set(tailSteps.map((step) => step.name));
  for (const step of tailSteps) {
    for (const read of readsOf(step)) {
      if (read !== from && !names.has(read))
        throw mismatch(`step '${step.name}' behind '${from}' reads '${read}'`);
    }
  }
  if (tailSteps.length === 0) throw mismatch(`no step follows '${from}'`);
  return {
    from,
    trunkSteps: plan.steps.slice(0, index + 1),
    tailSteps,
    trunkTaps: plan.taps.filter((tap) => !names.has(tap.step)),
    tailTaps: plan.taps.filter((tap) => names.has(tap.step)),
  };
}

/**
 * Every place where the network can be cut and a tap still lies behind it, from the deepest to 'input'. Of neighbouring
 * places with no tap or weights between them there is but one need; callers pick.
 */
export function cutPlaces(plan: Plan): string[] {
  const places: string[] = [];
  const crossing = new Set<string>();
  for (let index = plan.steps.length - 1; index >= 0; index--) {
    const step = plan.steps[index];
    crossing.delete(step.name);
    for (const read of readsOf(step)) crossing.add(read);
    if (crossing.size === 1) places.push(...crossing);
  }
  return [...new Set(places)];
}

function mismatch(what: string): HeadwaterError {
  return new HeadwaterError('backbone_mismatch', `The network cannot be cut there: ${what}.`);
}
