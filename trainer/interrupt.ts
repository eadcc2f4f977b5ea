/** Ctrl-C: long work may ask to be told, so that it can save what it has; everything else simply ends. */

let listener: (() => void) | undefined;

/** Takes the next Ctrl-C over, until `release` is called. @returns release */
export function takeInterrupt(onInterrupt: () => void): () => void {
  const mine = (): void => onInterrupt();
  listener = mine;
  return () => {
    if (listener === mine) listener = undefined;
  };
}

/** @returns whether somebody took the interrupt; only once, so that a second Ctrl-C ends the program in any case. */
export function interrupt(): boolean {
  const taken = listener;
  listener = undefined;
  taken?.();
  return taken !== undefined;
}
