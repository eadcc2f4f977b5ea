/** What is answered where no route is: 405 where the path exists for other methods, 404 otherwise. */
import type { App } from '../env.ts';
import { ApiError } from './problem.ts';

interface Route {
  readonly method: string;
  /** Each segment as it must be, or what it must match. */
  readonly segments: readonly (string | RegExp)[];
}

/** @param app whose routes are all there when the first request comes. */
export function routeNotFound(app: App): (method: string, path: string) => ApiError {
  let routes: readonly Route[] | undefined;
  return (method, path) => {
    routes ??= routesOf(app);
    const found = path.split('/');
    const matching = routes.filter(({ segments }) => matches(segments, found));
    const allowed = new Set(matching.map((route) => route.method));
    if (allowed.size === 0) {
      return new ApiError('not_found', 'There is nothing here. GET /openapi.json describes what there is.');
    }
    const list = [...allowed].sort().join(', ');
    return new ApiError('method_not_allowed', `${method} is not possible here; ${list} would be.`, {
      headers: { allow: list },
    });
  };
}

function routesOf(app: App): Route[] {
  return app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => ({ method, segments: path.split('/').map(segmentOf) }));
}

/** @param text a word, `:name`, or `:name{pattern}`. */
function segmentOf(text: string): string | RegExp {
  if (!text.startsWith(':')) return text;
  const brace = text.indexOf('{');
  return new RegExp(`^${brace < 0 ? '.+' : text.slice(brace + 1, -1)}$`);
}

function matches(wanted: readonly (string | RegExp)[], found: readonly string[]): boolean {
  return (
    wanted.length === found.length &&
    wanted.every((each, i) => (typeof each === 'string' ? each === found[i] : each.test(found[i])))
  );
}
