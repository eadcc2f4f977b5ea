/** Signals that end a program. Depends on nothing, like the bootstrap, and runs on the system's Node. */
import { constants } from 'node:os';
import process from 'node:process';

/** @type {readonly NodeJS.Signals[]} */
export const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** npm and the bootstrap pass on signals that the whole process group also got: the same one again so soon is not a second one. */
const REPEAT_MS = 500;

/** @param {(signal: NodeJS.Signals) => void} handle runs instead of the signal's default action. */
export function onSignal(handle) {
  /** @type {{ signal: NodeJS.Signals, at: number } | undefined} */
  let last;
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const isRepeat = last?.signal === signal && Date.now() - last.at < REPEAT_MS;
      last = { signal, at: Date.now() };
      if (!isRepeat) handle(signal);
    });
  }
}

/**
 * 128 plus the signal's number, as in shells.
 * @param {NodeJS.Signals} signal
 */
export function exitCodeOf(signal) {
  return 128 + constants.signals[signal];
}
