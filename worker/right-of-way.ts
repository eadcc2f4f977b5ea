/**
 * Predictions go first. What computes for seconds in the same isolate, a training, asks here whether one is being
 * answered and lets it pass; see tenant/pace.ts.
 */
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { AppEnv } from './env.ts';
import { Leases } from './leases.ts';
import { PREDICTION_LEASE_MS } from './limits.ts';
import { kindOf } from './metering.ts';

/** One of the isolate, which is what requests and Durable Objects share. There is room for any number. */
const predictions = new Leases(Infinity, PREDICTION_LEASE_MS, 0);

const PREDICTIONS: ReadonlySet<string | undefined> = new Set(['classify', 'classify-batch', 'embed']);

/** Whether somebody waits for a prediction of this isolate. */
export const predicting = (): boolean => predictions.inUse > 0;

/** Counts requests for predictions, in any protocol, from their arrival to their answer. */
export const rightOfWay = createMiddleware<AppEnv>((c, next) =>
  PREDICTIONS.has(kindOf(routePath(c, -1))) ? predictions.with(1, next) : next(),
);
