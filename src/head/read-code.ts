/**
 * Which numbers a head reads: those of its taps, from the backbone's CNN code or, for taps behind the cut of the head's
 * tail, from what the tail made of the same picture.
 */
import { cutAt } from '../backbone/cut.ts';
import type { Plan, Tap } from '../backbone/plan.ts';
import type { Head } from './head.ts';

/** What of a head says which code it reads. */
export type HeadView = Pick<Head, 'taps' | 'tail' | 'codeLength'>;

/**
 * @param code [D of the plan] the picture's CNN code. @param tailCode what the head's tail makes of it, if it has one.
 * @returns [D of the head]; the code itself where the head reads just that.
 * @throws RangeError when the head has a tail and there is no tailCode.
 */
export function readCode(
  head: HeadView,
  plan: Plan,
  code: Float32Array,
  tailCode?: Float32Array | undefined,
): Float32Array {
  if (head.tail === undefined && head.taps.length === plan.taps.length) return code;
  const tailTaps = head.tail === undefined ? [] : cutAt(plan, head.tail.from).tailTaps;
  const [places, tailPlaces] = [placesOf(plan.taps), placesOf(tailTaps)];
  const out = new Float32Array(head.codeLength);
  let at = 0;
  for (const name of head.taps) {
    const inTail = tailPlaces.get(name);
    if (inTail !== undefined && tailCode === undefined)
      throw new RangeError('A head with a tail needs its code.');
    const { begin, end } = inTail ?? places.get(name)!;
    out.set((inTail === undefined ? code : tailCode!).subarray(begin, end), at);
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
