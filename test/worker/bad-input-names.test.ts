/** Names, versions, ids, labels and queries that are none or mean harm: in addresses, forms and JSON. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  MAX_HEADS_PER_REQUEST,
  MAX_LABEL_LENGTH,
  type Classification,
  type ExampleList,
  type Taught,
} from '../../src/api/index.ts';
import { USAGE_DAYS } from '../../worker/limits.ts';
import { codes, batch } from './batches.ts';
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
import { ADMIN_SECRET, Isolate, JPEG, problemOf } from './support.ts';

const isolate = new Isolate();
let owner: Stocked;
let key = '';
let expectUnchanged: () => Promise<void>;

beforeAll(async () => {
  owner = await stockedTenant(isolate);
  ({ key } = owner);
  expectUnchanged = await takeStock(isolate, owner.key);
});

afterEach(() => expectUnchanged());

describe('names, versions and queries', () => {
  it.each([
    ['/v1/heads/nobody/classify', 404, 'head_not_found', undefined],
    ['/v1/heads/pets/classify?version=9', 404, 'version_not_found', undefined],
    ['/v1/heads/pets/classify?version=constructor', 404, 'version_not_found', undefined],
    ['/v1/heads/pets/classify?version=__proto__', 400, 'invalid_request', 'version'],
    ['/v1/heads/pets/classify?version=9007199254740993', 400, 'invalid_request', 'version'],
    ['/v1/heads/pets/classify?version=1&version=2', 400, 'invalid_request', 'version'],
    ['/v1/heads/pets/classify?version=0', 400, 'invalid_request', 'version'],
    ['/v1/heads/pets/classify?version=1.5', 400, 'invalid_request', 'version'],
    ['/v1/heads/pets/classify?top_k=0', 400, 'invalid_request', 'top_k'],
    ['/v1/heads/pets/classify?top_k=99999', 400, 'invalid_request', 'top_k'],
    ['/v1/heads/pets/classify?top_k=all', 400, 'invalid_request', 'top_k'],
    ['/v1/heads/pets/classify?topk=3', 400, 'invalid_request', 'topk'],
    ['/v1/classify', 400, 'invalid_request', 'heads'],
    ['/v1/classify?heads=', 400, 'invalid_request', 'heads'],
    ['/v1/classify?heads=pets,,', 400, 'invalid_request', 'heads.1'],
    ['/v1/classify?heads=pets@X', 400, 'invalid_request', 'heads.0'],
    [
      `/v1/classify?heads=${Array(MAX_HEADS_PER_REQUEST + 1)
        .fill('pets')
        .join(',')}`,
      400,
      'invalid_request',
      'heads',
    ],
    ['/v1/classify?heads=pets,nobody', 404, 'head_not_found', undefined],
    ['/v1/classify?heads=pets@1@2', 400, 'invalid_request', 'heads.0'],
    ['/v1/classify?heads=pets@__proto__', 400, 'invalid_request', 'heads.0'],
    ['/v1/embed?encoding=hex', 400, 'invalid_request', 'encoding'],
    ['/v1/embed?head=..', 400, 'invalid_request', 'head'],
    ['/v1/heads/pets/classify-batch?top_k=-1', 400, 'invalid_request', 'top_k'],
    ['/v1/heads/pets/teach?train=1', 400, 'invalid_request', 'train'],
  ])('%s', async (path, status, code, field) => {
    const response = await isolate.call(path, { key, type: 'image/jpeg', body: JPEG });
    expect(await problemOf(response)).toEqual({ status, code, ...(field === undefined ? {} : { field }) });
  });

  it('a route or a method that is not there', async () => {
    expect(await problemOf(await isolate.call('/v9'))).toEqual({ status: 404, code: 'not_found' });
    const response = await isolate.call('/v1/heads/pets', { key, method: 'PATCH', body: '{}' });
    expect(response.headers.get('allow')).toBe('DELETE, GET, PUT');
    expect(await problemOf(response)).toEqual({ status: 405, code: 'method_not_allowed' });
  });
});

/** Values that an address may hold, and what each is for the part that it stands in. */
const HOSTILE: Readonly<Record<keyof Names, readonly string[]>> = {
  head: [
    'Pets',
    '.pets',
    '_pets',
    '__proto__',
    'a'.repeat(64),
    'x'.repeat(1900),
    'pets/../dogs',
    'pets\0',
    'pets\n',
    '💧',
    ' ',
  ],
  version: ['0', '-1', '1.5', '1e3', '0x1', 'NaN', 'live', '9'.repeat(16), '1\0', '__proto__'],
  name: ['7', 'Live', '__proto__', 'x'.repeat(33), 'a b', 'a/b', '💧', 'live\0'],
  id: ['x'.repeat(65), '💧'.repeat(65)],
  label: ['x'.repeat(MAX_LABEL_LENGTH + 1), '💧'.repeat(MAX_LABEL_LENGTH + 1)],
};

describe('in the address of', () => {
  it.each(Object.keys(OPERATIONS).filter((operation) => /\{(head|version|name|id|label)\}/.test(operation)))(
    '%s',
    async (operation) => {
      if (OPERATIONS[operation].scope === 'secret') return;
      for (const [, part] of operation.matchAll(/\{([a-z]+)\}/g)) {
        for (const hostile of Object.entries(HOSTILE).find(([name]) => name === part)?.[1] ?? []) {
          const names = { ...namesFor(operation, owner), [part]: encodeURIComponent(hostile) };
          const response = await perform(isolate, key, operation, names);
          expect((await response.clone().text()).length).toBeLessThan(500);
          expect(await problemOf(response), hostile).toEqual({
            status: 400,
            code: 'invalid_request',
            field: part,
          });
        }
      }
    },
  );
});

it.each([
  ['/v1/usage?days=0', 'days'],
  [`/v1/usage?days=${USAGE_DAYS + 1}`, 'days'],
  ['/v1/usage?days=1.5', 'days'],
  ['/v1/usage?days=7&days=8', 'days'],
  ['/v1/usage?weeks=1', 'weeks'],
  ['/v1/heads/pets/examples?limit=0', 'limit'],
  ['/v1/heads/pets/examples?limit=501', 'limit'],
  ['/v1/heads/pets/examples?limit=all', 'limit'],
  ['/v1/heads/pets/examples?label=', 'label'],
  [`/v1/heads/pets/examples?label=${'x'.repeat(MAX_LABEL_LENGTH + 1)}`, 'label'],
  [`/v1/heads/pets/examples?after=${'x'.repeat(65)}`, 'after'],
  ['/v1/heads/pets/examples?__proto__=1', '__proto__'],
])('%s', async (path, field) => {
  const response = await isolate.call(path, { key });
  expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', field });
});

describe('a parameter of a call that has none', () => {
  const bare = Object.keys(OPERATIONS).filter(
    (operation) =>
      operation.includes('/v1/') &&
      !/tenants|usage|classify|embed|teach|GET [^ ]*\/examples$/.test(operation),
  );
  it.each(bare)('%s', async (operation) => {
    const { method, path } = addressOf(operation, namesFor(operation, owner));
    const response = await isolate.call(`${path}?version=2`, { key, method });
    expect(await problemOf(response)).toEqual({
      status: 400,
      code: 'invalid_request',
      field: 'version',
    });
  });
});

describe('steps up', () => {
  it.each([
    'classes/..',
    'classes/%2e%2e',
    'examples/..',
    'examples/%2E%2e',
    'versions/..',
    'names/..',
    'classes/.',
  ])('DELETE /v1/heads/pets/%s deletes nothing', async (path) => {
    const response = await isolate.call(`/v1/heads/pets/${path}`, { key, method: 'DELETE' });
    expect(await problemOf(response)).toEqual({ status: 404, code: 'not_found' });
  });

  it.each(['UPPERCASE2345678', 'a'.repeat(15), 'a'.repeat(17), '__proto__', '..%2f..'])(
    'DELETE /v1/tenants/%s is no tenant',
    async (id) => {
      const response = await isolate.call(`/v1/tenants/${id}`, { key: ADMIN_SECRET, method: 'DELETE' });
      expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', field: 'id' });
    },
  );
});

describe('labels', () => {
  it.each([
    ['empty', ''],
    ['of blanks', ' \u00a0 '],
    ['too long', 'x'.repeat(MAX_LABEL_LENGTH + 1)],
    ['with a bell', 'a\u0007b'],
    ['with a line break', 'a\nb'],
    ['with a line separator', 'a\u2028b'],
    ['with half a character', 'a\ud800'],
    ['that step in addresses', '..'],
    ['that stay in addresses', '.'],
  ])('%s are refused, however they come', async (_, label) => {
    const [{ code }] = codes('new', 1);
    const invalid = { status: 400, code: 'invalid_request' };
    const teach = (body: { json: object } | { body: FormData }) =>
      isolate.call('/v1/heads/pets/teach', { key, ...body });
    const taught = await problemOf(await teach({ json: batch([{ label, code }]) }));
    expect(taught).toEqual({ ...invalid, field: 'examples.0.label' });
    const feedback = { key, json: { id: owner.ids.prediction, label } };
    expect(await problemOf(await isolate.call('/v1/heads/pets/feedback', feedback))).toEqual({
      ...invalid,
      field: 'label',
    });
    // A form is text in UTF-8, which cannot hold half a character.
    if (!label.isWellFormed()) return;
    const form = new FormData();
    form.append('label', label);
    form.append('image', new Blob([JPEG]), 'a.jpg');
    expect(await problemOf(await teach({ body: form }))).toEqual({ ...invalid, field: 'label' });
  });

  it.each([
    '__proto__',
    'constructor',
    'a/b',
    '%2e%2e',
    '?#&=',
    '💧'.repeat(MAX_LABEL_LENGTH / 2),
    "';--",
    'label',
  ])('%s is one: taught, answered, found and forgotten by it', async (label) => {
    const { key: other } = await isolate.newTenant();
    const json = batch(
      codes('cat', 2),
      codes('x', 2).map((example) => ({ ...example, label })),
    );
    const taught = await isolate.call('/v1/heads/pets/teach', { key: other, json });
    expect((await taught.json<Taught>()).classes.map((each) => each.label)).toContain(label);
    const said = await (await isolate.classify(other, 'pets')).json<Classification>();
    expect(said.predictions.map((each) => each.label).sort()).toEqual(['cat', label].sort());
    const address = encodeURIComponent(label);
    const list = await isolate.call(`/v1/heads/pets/examples?label=${address}`, { key: other });
    expect((await list.json<ExampleList>()).total).toBe(2);
    const path = `/v1/heads/pets/classes/${address}`;
    const forgotten = await isolate.call(path, { key: other, method: 'DELETE' });
    expect(await forgotten.json()).toMatchObject({ forgotten: 2, examples: 2 });
  });
});
