/** Every route declares what its requests are counted as, or is one of those that are not counted. */
import { expect, it } from 'vitest';
import { createApp } from '../../worker/app.ts';
import { runtime } from '../../worker/isolate/runtime.ts';

/** Custom Vision's calls go to our own API, which counts them. */
const OWN = /^\/(?!customvision\/)/;

/** All others are `manage`. */
const KINDS: Readonly<Record<string, string>> = {
  'POST /v1/heads/:head/classify': 'classify',
  'POST /v1/classify': 'classify',
  'POST /v1/heads/:head/classify-batch': 'classify-batch',
  'POST /v1/embed': 'embed',
  'POST /v1/heads/:head/teach': 'teach',
  'POST /v1/heads/:head/train': 'train',
  'POST /v1/heads/:head/feedback': 'feedback',
  'POST /hf-inference/models/:model': 'classify',
  'POST /client/v4/accounts/:account/ai/run/:model{.+}': 'classify',
  'POST /v2/models/:model/infer': 'classify',
  'POST /v2/models/:model/versions/:version/infer': 'classify',
  // Nobody's requests: without a key, or with the admin secret.
  'GET /healthz': 'none',
  'GET /openapi.json': 'none',
  'POST /v1/tenants': 'none',
  'DELETE /v1/tenants/:id': 'none',
  'GET /v2': 'none',
  'GET /v2/health/live': 'none',
  'GET /v2/health/ready': 'none',
};

/** The kinds that the handlers of each route declare. */
function declaredKinds(): Map<string, string> {
  const kinds = new Map<string, string>();
  for (const { method, path, handler } of createApp(runtime).routes) {
    if (method === 'ALL' || !OWN.test(path)) continue;
    const route = `${method} ${path.replaceAll(/:(\w+)\{\[[^}]*\}/g, ':$1')}`;
    const kind = 'kind' in handler ? String(handler.kind) : 'none';
    if (kind !== 'none' || !kinds.has(route)) kinds.set(route, kind);
  }
  return kinds;
}

it('the route says what its requests are counted as', () => {
  const kinds = declaredKinds();
  expect([...kinds.keys()]).toEqual(expect.arrayContaining(Object.keys(KINDS)));
  const expected = [...kinds.keys()].map((route) => [route, KINDS[route] ?? 'manage']);
  expect(Object.fromEntries(kinds)).toEqual(Object.fromEntries(expected));
});
