/** Errors as a protocol words them: the problem that would have been answered, brought into its shape. */
import { createMiddleware } from 'hono/factory';
import type { Problem } from '../../src/api/index.ts';
import type { AppEnv } from '../env.ts';

/**
 * @param shape of the JSON body. Status and headers stay those of the problem.
 */
export const problemShape = (shape: (problem: Problem) => object) =>
  createMiddleware<AppEnv>(async (c, next) => {
    await next();
    if (c.error === undefined) return;
    const headers = new Headers(c.res.headers);
    headers.set('content-type', 'application/json');
    const problem: Problem = await c.res.json();
    c.res = new Response(JSON.stringify(shape(problem)), { status: c.res.status, headers });
  });
