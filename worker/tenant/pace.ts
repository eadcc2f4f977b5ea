/**
 * How a training shares its isolate. It offers a pause after a millisecond of work or so; then the event loop has its
 * turn, which is when other requests arrive. While one of them is being answered with a prediction the training waits,
 * but never long at a time, so that it ends under any load.
 */
import { GIVING_WAY_MS } from '../limits.ts';
import { predicting } from '../right-of-way.ts';

/** A pause for src/learn. Only a timer's turn lets other requests in: a promise that is ready does not. */
export async function giveWay(): Promise<void> {
  await scheduler.wait(0);
  for (let waited = 0; waited < GIVING_WAY_MS && predicting(); waited++) await scheduler.wait(1);
}
