/** Which version answers: names, canary, shadow, the guard; what is counted, captured and refused for being too much. */
import { runInDurableObject } from 'cloudflare:test';
import { env as bindings } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type {
  Classification,
  ReviewQueue,
  Routing,
  Taught,
  Usage as UsageAnswer,
} from '../../src/api/index.ts';
import { MAX_EXAMPLES_PER_HEAD, RATE_WINDOW_MS } from '../../worker/limits.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, problemOf, soon, stubOf, tenantOf, testEnv } from './support.ts';

const isolate = new Isolate();

const send = (key: string, method: string, path: string, json?: object) =>
  isolate.call(path, { key, method, ...(json === undefined ? {} : { json }) });
async function ok<T>(response: Promise<Response>): Promise<T> {
  const answer = await response;
  expect(answer.status, await answer.clone().text()).toBe(200);
  return answer.json<T>();
}
const code = async (response: Promise<Response>) => (await problemOf(await response)).code;
const teach = (key: string, ...examples: object[][]) =>
  ok<Taught>(send(key, 'POST', '/v1/heads/pets/teach', teachRequest(...examples)));
const versionOf = async (key: string, query = '') =>
  (await ok<Classification>(isolate.classify(key, 'pets', query))).version;

async function taughtTwice(): Promise<{ id: string; key: string }> {
  const tenant = await isolate.newTenant();
  await teach(tenant.key, codes('cat', 4), codes('dog', 4));
  await teach(tenant.key, codes('emu', 4));
  return tenant;
}

describe('names', () => {
  it('answer for their version, keep it from being pruned or forgotten, and can be taken back', async () => {
    const { key } = await taughtTwice();
    const named = await ok<Routing>(send(key, 'PUT', '/v1/heads/pets/names/production', { version: 2 }));
    expect(named).toEqual({ version: 2, names: { production: 2 } });
    await ok(send(key, 'DELETE', '/v1/heads/pets/classes/emu'));
    // Version 1 was trained on just what is left.
    expect(await versionOf(key)).toBe(1);
    expect(await versionOf(key, '?version=production')).toBe(2);
    expect(
      await new Isolate().classify(key, 'pets', '?version=production').then(({ status }) => status),
    ).toBe(200);
    await ok(send(key, 'DELETE', '/v1/heads/pets/names/production'));
    expect(await code(isolate.classify(key, 'pets', '?version=production'))).toBe('version_not_found');
  });

  it('refuse what they cannot name', async () => {
    const { key } = await taughtTwice();
    expect(await code(send(key, 'PUT', '/v1/heads/pets/names/7', { version: 1 }))).toBe('invalid_request');
    expect(await code(send(key, 'PUT', '/v1/heads/pets/names/live', { version: 9 }))).toBe(
      'version_not_found',
    );
    expect(await code(send(key, 'PUT', '/v1/heads/none/names/live', { version: 1 }))).toBe('head_not_found');
    expect(await code(send(key, 'DELETE', '/v1/heads/pets/names/live'))).toBe('version_not_found');
    expect(await code(isolate.classify(key, 'pets', '?version=live'))).toBe('version_not_found');
    expect(await code(isolate.classify(key, 'pets', '?version=No!'))).toBe('invalid_request');
  });
});

describe('canary', () => {
  it('is begun, told and ended', async () => {
    const { key } = await taughtTwice();
    await ok(send(key, 'POST', '/v1/heads/pets/versions/1/activate', { percent: 40 }));
    expect(await versionOf(key, '?version=2')).toBe(2);
    const routing = await ok<Routing>(send(key, 'GET', '/v1/heads/pets/routing'));
    expect(routing.canary).toEqual({ version: 1, percent: 40 });
    await ok(send(key, 'POST', '/v1/heads/pets/versions/1/activate'));
    expect((await ok<Routing>(send(key, 'GET', '/v1/heads/pets/routing'))).canary).toBeUndefined();
    expect(await versionOf(key)).toBe(1);
    expect(await code(send(key, 'POST', '/v1/heads/pets/versions/1/activate', { percent: 0 }))).toBe(
      'invalid_request',
    );
    expect(await code(send(key, 'POST', '/v1/heads/pets/versions/9/activate'))).toBe('version_not_found');
  });
});

describe('versions', () => {
  it('can be deleted unless they are current', async () => {
    const { key } = await taughtTwice();
    expect((await send(key, 'DELETE', '/v1/heads/pets/versions/1')).status).toBe(204);
    expect(await code(isolate.classify(key, 'pets', '?version=1'))).toBe('version_not_found');
    expect(await code(send(key, 'DELETE', '/v1/heads/pets/versions/2'))).toBe('conflict');
    expect(await code(send(key, 'DELETE', '/v1/heads/pets/versions/1'))).toBe('version_not_found');
  });

  it('are held back by the guard when the old classes suffer', async () => {
    const { key } = await isolate.newTenant();
    await teach(key, codes('cat', 6), codes('doggy', 6));
    await ok(send(key, 'PUT', '/v1/heads/pets/settings', { guard_margin: 0.2 }));
    // Codes of cats under other names: cats can't be told any more.
    const answer = await teach(
      key,
      codes('cat', 6, 2).map((each) => ({ ...each, label: 'cot' })),
      codes('cat', 6, 3).map((each) => ({ ...each, label: 'cut' })),
    );
    expect(answer).toMatchObject({ version: 2, current: false });
    expect(answer.held_back).toContain('margin of 20.0 %');
    expect(answer.changes?.old_classes_accuracy).toBeLessThan(-0.2);
    expect(await versionOf(key)).toBe(1);
    expect(await versionOf(key, '?version=2')).toBe(2);
    await ok(send(key, 'POST', '/v1/heads/pets/versions/2/activate'));
    expect(await versionOf(key)).toBe(2);
    expect(await code(send(key, 'PUT', '/v1/heads/pets/settings', { guard_margin: 2 }))).toBe(
      'invalid_request',
    );
    expect(await code(send(key, 'PUT', '/v1/heads/none/settings', {}))).toBe('head_not_found');
  });
});

describe('shadow and usage', () => {
  it('are counted behind the answers, and told by day and kind', async () => {
    const { key } = await taughtTwice();
    await ok(send(key, 'PUT', '/v1/heads/pets/shadow', { version: 1 }));
    for (let i = 0; i < 3; i++) expect(await versionOf(key)).toBe(2);
    expect(await versionOf(key, '?version=2')).toBe(2);
    await soon(async () => {
      const { shadow } = await ok<Routing>(send(key, 'GET', '/v1/heads/pets/routing'));
      expect(shadow).toMatchObject({ version: 1, requests: 3 });
    });
    const { days } = await ok<UsageAnswer>(send(key, 'GET', '/v1/usage?days=1'));
    expect(days).toHaveLength(1);
    expect(days[0].counts).toMatchObject({ classify: 4, teach: 2 });
    expect(await code(send(key, 'GET', '/v1/usage?days=91'))).toBe('invalid_request');
  });

  it('counts go with the shadow, and with the head', async () => {
    const { id, key } = await taughtTwice();
    const counts = () =>
      runInDurableObject(stubOf(id), (_, { storage }) =>
        storage.sql.exec('SELECT * FROM shadow_counts').toArray(),
      );
    const shadow = { head: 'pets', version: 1, requests: 3, disagreements: 1 };
    for (const path of ['/v1/heads/pets/shadow', '/v1/heads/pets']) {
      await ok(send(key, 'PUT', '/v1/heads/pets/shadow', { version: 1 }));
      await tenantOf(id).usage.add({ requests: [], shadows: [shadow] });
      expect(await code(send(key, 'PUT', '/v1/heads/pets/shadow', { version: 9 }))).toBe('version_not_found');
      expect(await counts()).toEqual([shadow]);
      expect((await send(key, 'DELETE', path)).ok).toBe(true);
      expect(await counts()).toEqual([]);
    }
  });
});

describe('caps', () => {
  const { REQUESTS: _binding, ...bare } = testEnv;
  it.each([
    ['by the isolate', { ...bare, HEADWATER_MAX_REQUESTS: '3' }],
    ['by the platform, for a location', { ...bare, REQUESTS: bindings.FEW_REQUESTS }],
  ])(
    'answer 429 with a time to wait when a tenant sends too many requests, and leave others alone: %s',
    async (_, env) => {
      const limited = new Isolate(env);
      const [busy, calm] = [await limited.newTenant(), await limited.newTenant()];
      const list = () => limited.call('/v1/heads', { key: busy.key });
      let answer = await list();
      let answered = 0;
      for (; answer.ok && answered <= 6; answer = await list()) answered++;
      // Twice as many where a window ends meanwhile.
      expect(answered).toBeGreaterThanOrEqual(3);
      expect(answered).toBeLessThanOrEqual(6);
      const seconds = Number(answer.headers.get('retry-after'));
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThanOrEqual(RATE_WINDOW_MS / 1000);
      expect(await problemOf(answer)).toEqual({ status: 429, code: 'rate_limited' });
      expect((await limited.call('/v1/heads', { key: calm.key })).status).toBe(200);
    },
  );

  it('name the trainer when a head has too many examples', async () => {
    const { id, key } = await isolate.newTenant();
    await teach(key, codes('cat', 2), codes('dog', 2));
    await runInDurableObject(stubOf(id), (_, { storage }) => {
      for (let i = 4; i < MAX_EXAMPLES_PER_HEAD; i++) {
        const values = [`id${i}`, 'pets', 'cat', `picture ${i}`, 'code', new ArrayBuffer(2), 1, 1];
        storage.sql.exec('INSERT INTO examples VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)', ...values);
      }
    });
    const response = await send(key, 'POST', '/v1/heads/pets/teach', teachRequest(codes('cat', 1, 5)));
    expect((await response.clone().json<{ detail: string }>()).detail).toContain('headwater train');
    expect(await problemOf(response)).toEqual({ status: 413, code: 'too_many_examples' });
  });
});

describe('review', () => {
  it('keeps uncertain predictions where wanted, and turns feedback into examples', async () => {
    const { key } = await isolate.newTenant();
    await teach(key, codes('cat', 4), codes('dog', 4));
    expect((await ok<Classification>(isolate.classify(key, 'pets'))).id).toBeUndefined();
    await ok(send(key, 'PUT', '/v1/heads/pets/settings', { capture: true }));
    const captured = await ok<Classification>(isolate.classify(key, 'pets'));
    // A photo is nothing like the made-up codes.
    expect(captured.unknown.is_unknown).toBe(true);
    const queue = await soon(async () => {
      const { items } = await ok<ReviewQueue>(send(key, 'GET', '/v1/heads/pets/review'));
      expect(items).toHaveLength(1);
      return items;
    });
    expect(queue[0]).toMatchObject({ id: captured.id, version: 1, predictions: captured.predictions });
    const taught = await ok<Taught>(
      send(key, 'POST', '/v1/heads/pets/feedback', { id: queue[0].id, label: 'emu' }),
    );
    expect(taught).toMatchObject({ added: 1, version: 2 });
    expect(taught.classes.map(({ label }) => label)).toEqual(['cat', 'dog', 'emu']);
    expect((await ok<ReviewQueue>(send(key, 'GET', '/v1/heads/pets/review'))).items).toEqual([]);
    const again = { id: queue[0].id, label: null };
    expect(await code(send(key, 'POST', '/v1/heads/pets/feedback', again))).toBe('prediction_not_found');
    expect(await code(send(key, 'POST', '/v1/heads/pets/feedback', { id: 'x' }))).toBe('invalid_request');
    expect(await code(send(key, 'GET', '/v1/heads/none/review'))).toBe('head_not_found');
  });
});
