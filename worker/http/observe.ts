/**
 * A request id on every answer and one line of JSON in the log for every request. The line tells the route by its
 * pattern, not the path: paths hold names that someone else may have guessed. Never pictures, keys or bodies.
 */
import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { AppEnv, Principal } from '../env.ts';
import type { ProblemCode } from './problem.ts';

/** The code that a failed request was answered with, by request, for its line in the log. */
const codes = new WeakMap<Request, ProblemCode>();

export function noteProblem(request: Request, code: ProblemCode): void {
  codes.set(request, code);
}

/** The same for all that is said of a request. */
export function requestIdOf(c: Context<AppEnv>): string {
  const id = c.get('requestId') ?? crypto.randomUUID();
  c.set('requestId', id);
  return id;
}

export const observe = createMiddleware<AppEnv>(async (c, next) => {
  const startedAt = Date.now();
  await next();
  const requestId = requestIdOf(c);
  c.res.headers.set('x-request-id', requestId);
  const code = codes.get(c.req.raw);
  const principal: Principal | undefined = c.get('principal');
  const line = {
    message: 'request',
    request_id: requestId,
    method: c.req.method,
    route: routePath(c, -1),
    status: c.res.status,
    code,
    tenant: principal?.tenant,
    key: principal?.keyId,
    // Of time outside alone where the clock stands still while the Worker computes, as it does on Cloudflare.
    elapsed_ms: Date.now() - startedAt,
  };
  if (c.res.status >= 500) console.error(JSON.stringify({ ...line, error: describeError(c.error) }));
  else console.log(JSON.stringify(line));
});

function describeError(error: Error | undefined): string | undefined {
  if (error === undefined) return undefined;
  const cause = error.cause instanceof Error ? `\ncaused by ${error.cause.stack ?? error.cause.message}` : '';
  return `${error.stack ?? error.message}${cause}`;
}
