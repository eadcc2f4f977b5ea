/** Ctrl-C: long work may register, so that it can save what it has; everything else simply ends. */

/** The program that started this one may pass on an interrupt that both got from the terminal: a second one so soon is the same. */
const REPEAT_MS = 500;

const KEPT_CODES = 'CNN codes read so far are kept; the next run goes on from there.';
/** Said when fine-tuned networks are saved: without --resume the next run would begin again. */
export const RESUMABLE = 'The same command with --resume goes on from here.';

let listener: (() => void) | undefined;
let kept = KEPT_CODES;
let takenAt = -Infinity;

/** Takes the next Ctrl-C over, until `release` is called. @returns release */
export function takeInterrupt(onInterrupt: () => void): () => void {
  const mine = (): void => onInterrupt();
  listener = mine;
  return () => {
    if (listener === mine) listener = undefined;
  };
}

/** What to say when the program simply ends. */
export function whatIsKept(): string {
  return kept;
}

/** From here on an interrupted run can be resumed, until `release` is called. @returns release */
export function keepRuns(): () => void {
  kept = RESUMABLE;
  return () => {
    kept = KEPT_CODES;
  };
}

/** @returns whether somebody took the interrupt; only once, so that a second Ctrl-C ends the program in any case. */
export function interrupt(): boolean {
  if (performance.now() - takenAt < REPEAT_MS) return true;
  const taken = listener;
  listener = undefined;
  if (taken === undefined) return false;
  takenAt = performance.now();
  taken();
  return true;
}
