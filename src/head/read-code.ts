/**
 * Which numbers a head reads. A tap's own name means what the frozen backbone has there; `tail:` before it means the
 * same place in the head's fine-tuned tail. A head may read both: the pretrained features and the fine-tuned ones.
 */
import { cutAt } from '../backbone/cut.ts';
import type { Plan, Tap } from '../backbone/plan.ts';
import type { Head } from './head.ts';

/** The fields of a head that say which code it reads. */
export type HeadView = Pick<Head, 'taps' | 'tail' | 'codeLength'>;

export const TAIL_TAP = 'tail:';

/**
 * All that a head with this tail could read: the backbone's taps, then those behind the cut as the tail has them.
 * @throws HeadwaterError `backbone_mismatch` when the network cannot be cut where the tail begins.
 */
export function readableTaps(plan: Plan, tail: HeadView['tail']): Tap[] {
  return [...plan.taps, ...tailTaps(plan, tail).map((tap) => ({ ...tap, name: TAIL_TAP + tap.name }))];
}

function tailTaps(plan: Plan, tail: HeadView['tail']): readonly Tap[] {
  return tail === undefined ? [] : cutAt(plan, tail.from).tailTaps;
}

/**
 * @param code [D of the plan] the picture's CNN code. @param tailCode what the head's tail makes of it, if it has one.
 * @returns [D of the head]; the code itself where the head reads just that.
 * @throws RangeError when the head has a tail and there is no tailCode.
 */
export function readCode(
  head: HeadView,
  plan: Plan,
  code: Float32Array,
  tailCode?: Float32Array,
): Float32Array {
  if (head.tail === undefined && head.taps.length === plan.taps.length) return code;
  const [places, tailPlaces] = [placesOf(plan.taps), placesOf(tailTaps(plan, head.tail))];
  const out = new Float32Array(head.codeLength);
  let at = 0;
  for (const name of head.taps) {
    const ofTail = name.startsWith(TAIL_TAP);
    if (ofTail && tailCode === undefined) throw new RangeError('A head with a tail needs its code.');
    const { begin, end } = ofTail ? tailPlaces.get(name.slice(TAIL_TAP.length))! : places.get(name)!;
    out.set((ofTail ? tailCode! : code).subarray(begin, end), at);
    at += end - begin;
  }
  return out;
}

function placesOf(taps: readonly Tap[]): Map<string, { begin: number; end: number }> {
  const places = new Map<string, { begin: number; end: number }>();
  let begin = 0;
  for (const { name, channels } of taps) {
    places.set(name, { begin, end: begin + channels });
    begin += channels;
  }
  return places;
}
