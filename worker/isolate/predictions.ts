/** Tells requests for predictions from all others, in any protocol, from their arrival to their answer: they go first. */
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { AppEnv } from '../env.ts';
import { kindOf } from '../access/metering.ts';
import { workOf } from './request-work.ts';
import { predict } from './right-of-way.ts';

const PREDICTIONS: ReadonlySet<string | undefined> = new Set(['classify', 'classify-batch', 'embed']);

export const rightOfWay = createMiddleware<AppEnv>(async (c, next) => {
  if (!PREDICTIONS.has(kindOf(routePath(c, -1)))) return next();
  const work = workOf(c);
  work.predictions++;
  try {
    return await predict(next);
  } finally {
    work.predictions--;
  }
});
