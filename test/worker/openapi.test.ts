/** The OpenAPI document and the routes are the same: each is in the other, with the parameters that its path has. */
import { expect, it, vi } from 'vitest';
import { createApp } from '../../worker/app.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { Isolate, testEnv } from './support.ts';

/** Documented by those whose protocols they are. */
const PROTOCOLS = /^\/(hf-inference|client\/v4|v2|customvision)(\/|$)/;

interface Operation {
  readonly summary?: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string }[];
  readonly responses: Readonly<Record<string, unknown>>;
}

async function operations(): Promise<Map<string, Operation>> {
  const response = await new Isolate().call('/openapi.json');
  const { paths } = await response.json<{ paths: Record<string, Record<string, Operation>> }>();
  return new Map(
    Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): [string, Operation] => [
        `${method.toUpperCase()} ${path}`,
        operation,
      ]),
    ),
  );
}

/** /v1/heads/:head{[a-z]+} → /v1/heads/{head} */
const documented = (path: string): string => path.replace(/:([a-z_]+)(\{[^}]*\})?/gi, '{$1}');

it('the document is made once', async () => {
  const app = createApp(runtime);
  const made = vi.spyOn(app, 'getOpenAPI31Document');
  const texts = new Set<string>();
  for (let i = 0; i < 3; i++) texts.add(await (await app.request('/openapi.json', {}, testEnv)).text());
  expect(made).toHaveBeenCalledTimes(1);
  expect(texts.size).toBe(1);
});

it('every route is documented and every documented operation has a route', async () => {
  const routes = createApp(runtime)
    .routes.filter(
      ({ method, path }) => method !== 'ALL' && !PROTOCOLS.test(path) && path !== '/openapi.json',
    )
    .map(({ method, path }) => `${method} ${documented(path)}`);
  expect([...new Set(routes)].sort()).toEqual([...(await operations()).keys()].sort());
});

it('every operation says what it does, which parameters its path has, and how it fails', async () => {
  for (const [name, { summary, parameters = [], responses }] of await operations()) {
    expect(summary, name).toMatch(/\S/);
    const named = [...name.matchAll(/\{([^}]+)\}/g)].map(([, parameter]) => parameter).sort();
    const told = parameters.filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
    expect(told.sort(), name).toEqual(named);
    expect(Object.keys(responses), name).toContain('default');
  }
});
