/** How the examples were held out that a head's own metrics are over: `training.method` ends with it where it was in folds. */

/** What is meant where `training.method` names no folds: the closed form's way. */
export const LEAVE_ONE_OUT = 'leave-one-out';

/** @returns 'leave-one-out', or for example '4-fold'. */
export function heldOutBy(method: string): string {
  return /\b\d+-fold$/.exec(method)?.[0] ?? LEAVE_ONE_OUT;
}
