/**
 * Refuses parameters of operations that have none. Those that have some check their own; a parameter that is passed over in
 * silence may have meant much to its sender: DELETE …/heads/pets?version=2 would take all versions.
 */
import { createMiddleware } from 'hono/factory';
import { routePath } from 'hono/route';
import type { App, AppEnv } from '../env.ts';
import { ApiError } from './problem.ts';

/** @param app whose operations are all there when the first request comes. */
export function knownQueries(app: App) {
  let bare: ReadonlySet<string> | undefined;
  return createMiddleware<AppEnv>((c, next) => {
    if (!c.req.url.includes('?')) return next();
    bare ??= withoutQueries(app);
    // The route first: where there is none, the query is not bounded.
    if (!bare.has(`${c.req.method} ${routePath(c, -1)}`)) return next();
    const [name] = Object.keys(c.req.query());
    if (name === undefined) return next();
    const field = name.slice(0, 80);
    throw new ApiError('invalid_request', `'${field}' in the query: this call has no parameters.`, { field });
  });
}

/** Method and path, as they are routed. */
function withoutQueries(app: App): ReadonlySet<string> {
  const bare = new Set<string>();
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route' || definition.route.request?.query !== undefined) continue;
    const { method, path } = definition.route;
    bare.add(`${method.toUpperCase()} ${path.replaceAll(/\{([a-z_]+)\}/g, ':$1')}`);
  }
  return bare;
}
