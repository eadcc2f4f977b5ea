/** Bodies that are empty, broken, mislabelled, of wrong types or too large, for every operation that takes one; nothing is stored of them. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  MAX_BATCH_PICTURES,
  MAX_EXAMPLES_PER_REQUEST,
  MAX_URLS_PER_REQUEST,
  type Problem,
} from '../../src/api/index.ts';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import {
  BODY_READ_TIMEOUT_MS,
  MAX_HEAD_BYTES,
  MAX_JSON_BYTES,
  MAX_JSON_PARTS,
  MAX_JSON_PICTURE_BYTES,
  MAX_MULTIPART_BYTES,
} from '../../worker/limits.ts';
import { addressOf, takeStock, namesFor, OPERATIONS, stockedTenant, type Stocked } from './operations.ts';
import {
  ADMIN_SECRET,
  brokenBytes,
  Isolate,
  JPEG,
  problemOf,
  slowBytes,
  type CallOptions,
} from './support.ts';

const isolate = new Isolate();
const INVALID = { status: 400, code: 'invalid_request' };
const EMPTY = { status: 400, code: 'body_empty' };
const WRONG_TYPE = { status: 415, code: 'unsupported_media_type' };
const TOO_LARGE = { status: 413, code: 'body_too_large' };
const JSON_TYPE = 'application/json';
const FORM = 'multipart/form-data; boundary=x';
const part = (name: string, content: string) =>
  `--x\r\ncontent-disposition: form-data; name="${name}"; filename="a.jpg"\r\n\r\n${content}\r\n--x--`;

let owner: Stocked;
let expectUnchanged: () => Promise<void>;
beforeAll(async () => {
  owner = await stockedTenant(isolate);
  expectUnchanged = await takeStock(isolate, owner.key);
});
afterAll(() => expectUnchanged());

function send(operation: string, { body, type, headers }: CallOptions): Promise<Response> {
  const { method, path } = addressOf(operation, namesFor(operation, owner));
  const key = OPERATIONS[operation].scope === 'secret' ? ADMIN_SECRET : owner.key;
  const stated = type === undefined ? {} : { type };
  return isolate.call(path, { key, method, ...stated, headers: headers ?? {}, body: body ?? null });
}

const named = (which: (operation: string) => boolean) => Object.keys(OPERATIONS).filter(which);

describe('JSON', () => {
  const taking = named((operation) => OPERATIONS[operation].json !== undefined);
  // Without a body, the version is made current.
  const needing = taking.filter((operation) => !operation.endsWith('/activate'));

  it.each(needing)('no body: %s', async (operation) => {
    expect((await problemOf(await send(operation, { type: JSON_TYPE }))).code).toBe('body_empty');
    expect((await problemOf(await send(operation, {}))).code).toBe('unsupported_media_type');
  });

  it.each(taking)('%s', async (operation) => {
    const valid = OPERATIONS[operation].json;
    const [field, value] = Object.entries(valid ?? {})[0];
    const of = async (body: BodyInit | Uint8Array, type = JSON_TYPE) =>
      problemOf(await send(operation, { body, type }));
    const json = (body: unknown) => of(JSON.stringify(body));
    expect(await of('')).toEqual(EMPTY);
    expect(await of(JSON.stringify(valid), 'text/plain')).toEqual(WRONG_TYPE);
    expect(await of(JSON.stringify(valid).slice(0, -1))).toEqual(INVALID);
    expect(await of(Uint8Array.of(0x22, 0xff, 0x22))).toEqual(INVALID);
    // Half of a surrogate pair, which no store can write down.
    for (const half of ['\\ud800', '\\uDFFF', 'a\\udc00\\ud800b'])
      for (const body of [`{"${field}":"${half}"}`, `{"${half}":1}`, `[["${half}"]]`])
        expect(await of(body)).toMatchObject(INVALID);
    for (const other of ['null', '7', '"text"', '[]', '['.repeat(5000)])
      expect(await of(other)).toEqual(INVALID);
    expect(await json({ ...valid, [field]: [value] })).toMatchObject(INVALID);
    expect(await json({ ...valid, tenant: 'x' })).toEqual({ ...INVALID, field: 'tenant' });
    expect(await of(`${JSON.stringify(valid).slice(0, -1)},"__proto__":{"a":1}}`)).toEqual({
      ...INVALID,
      field: '__proto__',
    });
  });

  it('unknown fields are told in few words, whatever their number and length', async () => {
    const many = Array.from({ length: 500 }, (_, i) => [`field ${i}`, 1]);
    for (const fields of [many, [['k'.repeat(9000), 1]]]) {
      const body = JSON.stringify({ name: 'x', scopes: ['read'], ...Object.fromEntries(fields) });
      const response = await send('POST /v1/keys', { body, type: JSON_TYPE });
      const { detail } = await response.json<Problem>();
      expect(detail).toMatch(/'(k+|field 0)' in the body: is not known here/);
      expect(detail.length).toBeLessThan(150);
    }
  });

  it.each([
    ['POST /v1/keys', '{"scopes": ["read"]}', 'name'],
    ['POST /v1/keys', '{"name": "a\\u0000b", "scopes": ["read"]}', 'name'],
    ['POST /v1/keys', `{"name": "${'x'.repeat(101)}", "scopes": ["read"]}`, 'name'],
    ['POST /v1/keys', '{"name": "x", "scopes": []}', 'scopes'],
    ['POST /v1/keys', '{"name": "x", "scopes": ["root"]}', 'scopes.0'],
    ['POST /v1/keys', '{"name": "x", "scopes": ["read", "read"]}', 'scopes'],
    ['POST /v1/tenants', '{"name": " "}', 'name'],
    ['POST /v1/tenants', '{"name": "\\u001b[31m"}', 'name'],
    ['PUT /v1/heads/{head}/settings', '{"guard_margin": -0.1}', 'guard_margin'],
    ['PUT /v1/heads/{head}/settings', '{"guard_margin": "NaN"}', 'guard_margin'],
    ['POST /v1/heads/{head}/versions/{version}/activate', '{"percent": 0.5}', 'percent'],
    ['POST /v1/heads/{head}/versions/{version}/activate', '{"percent": 101}', 'percent'],
    ['PUT /v1/heads/{head}/names/{name}', '{"version": 1e300}', 'version'],
    ['PUT /v1/heads/{head}/names/{name}', '{}', 'version'],
    ['PUT /v1/heads/{head}/shadow', '{"version": -1}', 'version'],
    ['PUT /v1/heads/{head}/shadow', '{"version": 1.5}', 'version'],
    ['POST /v1/heads/{head}/feedback', `{"id": "${'x'.repeat(65)}", "label": "cat"}`, 'id'],
    ['POST /v1/heads/{head}/feedback', '{"id": "x"}', 'label'],
    ['PATCH /v1/heads/{head}/examples/{id}', '{"label": null}', 'label'],
  ])('%s from %s', async (operation, body, field) => {
    expect(await problemOf(await send(operation, { body, type: JSON_TYPE }))).toEqual({ ...INVALID, field });
  });
});

const batchOf = (count: number, rest: object) => ({
  type: JSON_TYPE,
  body: JSON.stringify({ examples: Array.from({ length: count }, () => ({ label: 'cat', ...rest })) }),
});

describe('pictures', () => {
  const one = named((operation) => OPERATIONS[operation].pictures === 'one');
  const many = named((operation) => OPERATIONS[operation].pictures === 'many');

  it.each([...one, ...many])('%s', async (operation) => {
    const code = async (options: CallOptions) => (await problemOf(await send(operation, options))).code;
    expect(await code({ type: FORM })).toBe('body_empty');
    expect(await code({ type: FORM, body: '' })).toBe('body_empty');
    expect(await code({ type: 'video/mp4', body: JPEG })).toBe('unsupported_media_type');
    expect(await code({ type: 'multipart/form-data', body: part('image', 'x') })).toBe('invalid_request');
    expect(await code({ type: FORM, body: 'hello' })).toBe('invalid_request');
    expect(await code({ type: FORM, body: part('image', 'x').slice(0, -4) })).toBe('invalid_request');
    expect(await code({ type: FORM, body: part('image', 'x').replace('name', 'nom') })).toBe(
      'invalid_request',
    );
  });

  it.each(one)('%s of one picture', async (operation) => {
    const code = async (body: BodyInit | Uint8Array, type = 'image/jpeg') =>
      (await problemOf(await send(operation, { body, type }))).code;
    expect(await code('')).toBe('body_empty');
    expect(await code('not a picture')).toBe('image_format_unknown');
    expect(await code(JPEG.subarray(0, 200))).toBe('image_corrupt');
    expect(await code(part('image', ''), FORM)).toBe('image_empty');
    expect(await code(part('photo', 'x'), FORM)).toBe('invalid_request');
    expect(await code('{"image": "***"}', JSON_TYPE)).toBe('invalid_request');
    expect(await code('{"image": ""}', JSON_TYPE)).toBe('image_empty');
    expect(await code('{"url": "https://localhost/a.jpg"}', JSON_TYPE)).toBe('url_refused');
  });

  it.each([...one, 'POST /v1/heads/{head}/teach'])(
    '%s of nothing but brackets, which fit no memory',
    async (operation) => {
      const most = MAX_JSON_PARTS;
      for (const body of ['['.repeat(most + 1), '{"a":'.repeat(most / 2 + 1), `[${'{},'.repeat(most)}{}]`])
        expect(await problemOf(await send(operation, { type: JSON_TYPE, body }))).toEqual(TOO_LARGE);
    },
  );

  it('in a batch beyond what it may hold, and an archive of too many entries', async () => {
    const batch = 'POST /v1/heads/{head}/classify-batch';
    const form = new FormData();
    for (let i = 0; i <= MAX_BATCH_PICTURES; i++) form.append('image', new Blob(['x']), `${i}.jpg`);
    expect(await problemOf(await send(batch, { body: form }))).toEqual(INVALID);
    // The end of an archive, which says that it has 65,535 entries.
    const end = new Uint8Array(22);
    end.set([0x50, 0x4b, 5, 6]);
    end.set([255, 255, 255, 255], 8);
    expect(await problemOf(await send(batch, { body: end, type: 'application/zip' }))).toEqual(INVALID);
  });

  it('to teach beyond what a request may bring', async () => {
    const teach = 'POST /v1/heads/{head}/teach';
    const form = new FormData();
    for (let i = 0; i <= MAX_EXAMPLES_PER_REQUEST; i++) form.append('cat', new Blob(['x']), `${i}.jpg`);
    expect(await problemOf(await send(teach, { body: form }))).toEqual(INVALID);
    expect(
      await problemOf(await send(teach, batchOf(MAX_EXAMPLES_PER_REQUEST + 1, { image: 'AAAA' }))),
    ).toEqual({
      ...INVALID,
      field: 'examples',
    });
    expect(
      await problemOf(
        await send(teach, batchOf(MAX_URLS_PER_REQUEST + 1, { url: 'https://a.example/b.jpg' })),
      ),
    ).toEqual(INVALID);
    const headers = { 'idempotency-key': 'k'.repeat(129) };
    expect(await problemOf(await send(teach, { ...batchOf(1, { image: 'AAAA' }), headers }))).toEqual({
      ...INVALID,
      field: 'idempotency-key',
    });
  });
});

describe('too large, or broken off', () => {
  const PIECES = 2 << 20;
  const small = named(
    (operation) => OPERATIONS[operation].json !== undefined && OPERATIONS[operation].pictures === undefined,
  ).map((operation): [string, string, number] => [operation, JSON_TYPE, MAX_JSON_BYTES]);
  const pictures = named((operation) => OPERATIONS[operation].pictures !== undefined).map(
    (operation): [string, string, number] => [operation, FORM, MAX_MULTIPART_BYTES],
  );

  it.each([
    ...small,
    ...pictures,
    ['POST /v1/heads/{head}/teach', JSON_TYPE, MAX_JSON_PICTURE_BYTES],
    ['POST /v1/heads/{head}/classify', JSON_TYPE, MAX_JSON_PICTURE_BYTES],
    ['POST /v1/embed', 'image/png', MAX_FILE_BYTES],
    ['POST /v1/heads/{head}/classify-batch', 'application/zip', MAX_MULTIPART_BYTES],
    ['PUT /v1/heads/{head}', 'application/octet-stream', MAX_HEAD_BYTES],
  ] as const)('%s as %s of more than %i bytes', async (operation, type, most) => {
    const declared = slowBytes(100e6);
    const headers = { 'content-length': '100000000' };
    expect(await problemOf(await send(operation, { type, headers, body: declared.stream }))).toEqual(
      TOO_LARGE,
    );
    expect(declared.sent()).toBeLessThanOrEqual(PIECES);
    const undeclared = slowBytes(100e6);
    expect(await problemOf(await send(operation, { type, body: undeclared.stream }))).toEqual(TOO_LARGE);
    expect(undeclared.sent()).toBeLessThanOrEqual(most + PIECES);
    const broken = await send(operation, { type, body: brokenBytes() });
    expect(await problemOf(broken)).toEqual({ status: 400, code: 'body_incomplete' });
  });

  it('or never comes', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    const answer = send('POST /v1/keys', { type: JSON_TYPE, body: new ReadableStream() });
    while (vi.getTimerCount() === 0) await scheduler.wait(1);
    await vi.advanceTimersByTimeAsync(BODY_READ_TIMEOUT_MS);
    expect(await problemOf(await answer)).toEqual({ status: 408, code: 'body_timeout' });
    vi.useRealTimers();
  });
});
