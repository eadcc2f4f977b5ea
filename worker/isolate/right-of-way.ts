/**
 * Predictions go first. What takes long in the same isolate gives way after every millisecond or so: a training between
 * stretches of its work, and what stores a version between the stores, which locally are of the same process.
 */
import { Leases } from './leases.ts';
import { GIVING_WAY_MS, PREDICTION_LEASE_MS } from '../limits.ts';

/** One of the isolate, which is what requests and Durable Objects share. There is room for any number. */
const predictions = new Leases(Infinity, { leaseMs: PREDICTION_LEASE_MS, waitMs: 0 });

/** Whether somebody waits for a prediction of this isolate. */
export const predicting = (): boolean => predictions.inUse > 0;

/** Runs what answers a request with a prediction. */
export const predict = <T>(task: () => Promise<T>): Promise<T> => predictions.with(1, task);

/** The same for a request, which doesn't give way to itself. */
export async function predictFirst<T>(work: { predictions: number }, task: () => Promise<T>): Promise<T> {
  work.predictions++;
  try {
    return await predict(task);
  } finally {
    work.predictions--;
  }
}

/**
 * Gives the event loop its turn, which is when other requests arrive, and waits while one of them is being answered with
 * a prediction; but never long, so that the work ends under any load. It is a pause for src/learn and src/image. Only a
 * timer's turn lets other requests in: a promise that is ready does not.
 * @param own predictions that the caller itself is a part of.
 */
export async function giveWay(own = 0): Promise<void> {
  await scheduler.wait(0);
  for (let waited = 0; waited < GIVING_WAY_MS && predictions.inUse > own; waited++) await scheduler.wait(1);
}
