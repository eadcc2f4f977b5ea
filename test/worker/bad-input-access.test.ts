/** Who may do what: every operation without a key, with a wrong one, with one of too little scope, and about somebody else's things. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Scope } from '../../src/api/index.ts';
import {
  addressOf,
  takeStock,
  namesFor,
  OPERATIONS,
  perform,
  stockedTenant,
  type Names,
  type Stocked,
} from './operations.ts';
import { ADMIN_SECRET, Isolate, problemOf, testEnv } from './support.ts';

const isolate = new Isolate();
const unauthorized = { status: 401, code: 'unauthorized' };
const NOBODYS: Names = { head: 'nobody', id: 'nosuchid', label: 'wolf', version: '9', name: 'gone' };

let owner: Stocked;
let expectUnchanged: () => Promise<void>;
/** Keys of all scopes but one. */
const keyWithout: Record<Scope, string> = { read: '', write: '', admin: '' };
beforeAll(async () => {
  owner = await stockedTenant(isolate);
  for (const scope of Scope.options) {
    const others = Scope.options.filter((other) => other !== scope);
    keyWithout[scope] = (await isolate.newKey(owner.key, others)).key;
  }
  expectUnchanged = await takeStock(isolate, owner.key);
});

/** Every line that the Worker logs meanwhile. */
const log: string[] = [];
for (const level of ['log', 'warn', 'error'] as const)
  vi.spyOn(console, level).mockImplementation((line: unknown) => void log.push(String(line)));
afterAll(() => {
  expect(log.length).toBeGreaterThan(protectedOnes.length);
  const names = [owner.names, NOBODYS].flatMap(({ head, label, name }) => [head, label, name]);
  const told = new RegExp(`hw_|\\b(${[ADMIN_SECRET, ...names].join('|')})\\b`);
  expect(log.filter((line) => told.test(line))).toEqual([]);
});

const operations = Object.entries(OPERATIONS);
const protectedOnes = operations.filter(([, { scope }]) => scope !== 'none').map(([name]) => name);

it('every operation of the document is tried here', async () => {
  const { paths } = await (
    await isolate.call('/openapi.json')
  ).json<{ paths: Record<string, Record<string, object>> }>();
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(Object.keys(OPERATIONS).sort()).toEqual(documented.sort());
});

describe('without the right key', () => {
  it.each(protectedOnes)('%s', async (operation) => {
    const { scope } = OPERATIONS[operation];
    const names = namesFor(operation, owner);
    const { method, path } = addressOf(operation, names);
    const without = await isolate.call(path, { method });
    expect(without.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problemOf(without)).toEqual(unauthorized);
    // Made up for a tenant that is.
    const made = `${owner.key.slice(0, -43)}${'b'.repeat(43)}`;
    expect(await problemOf(await perform(isolate, made, operation, names))).toEqual(unauthorized);
    if (scope === 'secret' || scope === 'none') {
      expect(await problemOf(await perform(isolate, owner.key, operation, names))).toEqual(unauthorized);
      return;
    }
    const forbidden = { status: 403, code: 'forbidden' };
    expect(await problemOf(await perform(isolate, keyWithout[scope], operation, names))).toEqual(forbidden);
  });

  it.each([
    ['of another scheme', 'Basic abc'],
    ['that is no key', 'Bearer abc'],
    ['with control characters', 'Bearer hw_\t'],
    ['of a megabyte', `Bearer ${'a'.repeat(1 << 20)}`],
    ['of a tenant that never was', `Bearer hw_${'a'.repeat(16)}_${'b'.repeat(43)}`],
  ])('a key %s', async (_, authorization) => {
    const response = await isolate.call('/v1/heads', { headers: { authorization } });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    const text = await response.clone().text();
    expect(text.length).toBeLessThan(1000);
    expect(await problemOf(response)).toEqual(unauthorized);
  });

  it('a wrong admin secret, and none configured', async () => {
    expect(await problemOf(await createTenant(isolate, 'wrong'))).toEqual(unauthorized);
    const { HEADWATER_ADMIN_SECRET: _, ...unset } = testEnv;
    const disabled = { status: 503, code: 'admin_disabled' };
    for (const env of [unset, { ...unset, HEADWATER_ADMIN_SECRET: '' }])
      expect(await problemOf(await createTenant(new Isolate(env), ADMIN_SECRET))).toEqual(disabled);
  });
});

describe("another tenant's things look like things that never were", () => {
  const named = operations.filter(([, { absent }]) => absent !== undefined);
  it.each(named)('%s', async (operation, { absent }) => {
    const { key } = await isolate.newTenant();
    const theirs = namesFor(operation, owner);
    const answers: string[] = [];
    for (const names of [theirs, NOBODYS]) {
      const response = await perform(isolate, key, operation, names);
      const text = await response.clone().text();
      expect(await problemOf(response)).toEqual({ status: 404, code: absent });
      answers.push(anonymous(text, names));
    }
    expect(answers[0]).toBe(answers[1]);
  });

  it('and stay as they are', () => expectUnchanged());
});

it('a deleted head looks like one that never was', async () => {
  const { key, names, ids } = await stockedTenant(isolate);
  await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
  for (const [operation, { absent }] of operations) {
    if (absent === undefined || !operation.includes('{head}')) continue;
    const response = await perform(isolate, key, operation, { ...names, id: ids.example });
    expect(await problemOf(response), operation).toEqual({ status: 404, code: absent });
  }
});

/** A problem without what tells two requests apart. */
function anonymous(text: string, names: Names): string {
  return Object.entries(names)
    .reduce((rest, [name, value]) => rest.replaceAll(new RegExp(`\\b${value}\\b`, 'g'), name), text)
    .replace(/"instance":"[^"]*"/, '');
}

const createTenant = (from: Isolate, secret: string) =>
  from.call('/v1/tenants', { key: secret, json: { name: 'x' } });
