/** What anybody may send before a key is looked at: read in a time that grows with its length at most, and cut short. */
import { HonoRequest } from 'hono/request';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { addressFault, pathOf } from '../../worker/http/address.ts';
import { ByteSearch } from '../../worker/http/byte-search.ts';
import {
  MAX_CONTENT_TYPE_LENGTH,
  MAX_PATH_LENGTH,
  MAX_QUERY_LENGTH,
  MAX_QUERY_PARAMETERS,
} from '../../worker/limits.ts';
import { parseMultipart } from '../../worker/http/multipart.ts';
import { Isolate, problemOf } from './support.ts';

const isolate = new Isolate();
const HALF_MEGABYTE = 500_000;
const PATH_BYTES = 65_000;

describe('a key', () => {
  // With a pattern that tries every way to divide the blanks, each of these takes a minute.
  it.each([
    ['behind many blanks', `Bearer ${' '.repeat(HALF_MEGABYTE)}x`],
    ['with many blanks inside', `Bearer a${' '.repeat(HALF_MEGABYTE)}b`],
    ['that is long', `Bearer ${'a'.repeat(HALF_MEGABYTE)}`],
    ['of many words', `Bearer ${'a '.repeat(HALF_MEGABYTE / 2)}`],
  ])('%s is none', async (_, authorization) => {
    const headers = { authorization };
    expect(await problemOf(await isolate.call('/v1/heads', { headers }))).toMatchObject({ status: 401 });
    const tenants = await isolate.call('/v1/tenants', { headers, json: { name: 'x' } });
    expect(await problemOf(tenants)).toMatchObject({ status: 401 });
  });

  it.each(['bearer', 'BEARER', 'Bearer   '])('may come behind %s', async (scheme) => {
    const { key } = await isolate.newTenant();
    const headers = { authorization: `${scheme} ${key} ` };
    expect((await isolate.call('/v1/heads', { headers })).status).toBe(200);
  });
});

/** What each protocol's errors look like at least. */
const PROTOCOLS: readonly (readonly [string, z.ZodType])[] = [
  ['/hf-inference/models/', z.object({ error: z.string(), code: z.string() })],
  [
    '/client/v4/accounts/a/ai/run/@cf/',
    z.object({ success: z.literal(false), errors: z.array(z.object({ message: z.string() })).length(1) }),
  ],
  ['/v2/models/', z.object({ error: z.string(), code: z.string() })],
  ['/customvision/v3.3/training/projects/', z.object({ code: z.string(), message: z.string() })],
];

describe('an address', () => {
  it.each([
    ['of one long word', `/${'a'.repeat(PATH_BYTES)}`],
    ['of nothing but slashes', '/'.repeat(PATH_BYTES)],
    ['that begins as a route does', `/v1/heads/${'a/'.repeat(PATH_BYTES / 2)}`],
    ['whose escapes are no text', `/v1/heads/${'%ff.'.repeat(PATH_BYTES / 4)}`],
  ])('%s is unknown', async (_, path) => {
    for (const method of ['GET', 'POST', 'DELETE'])
      expect(await problemOf(await isolate.call(path, { method }))).toEqual({
        status: 404,
        code: 'not_found',
      });
  });

  it.each(PROTOCOLS)('below %s is refused as the protocol words it', async (prefix, shape) => {
    const first = /^\/[^/]+/.exec(prefix)?.[0];
    for (const [path, status] of [
      [`${prefix}${'@/'.repeat(PATH_BYTES / 2)}pets`, 404],
      [`${prefix}${'a'.repeat(MAX_PATH_LENGTH)}`, 404],
      [`${prefix}pets?${'a'.repeat(PATH_BYTES)}`, 400],
      [`${prefix}%ff`, 400],
      [`${first}/nothing`, 404],
    ] as const) {
      const response = await isolate.call(path, { method: 'POST' });
      expect([path.slice(0, 80), response.status]).toEqual([path.slice(0, 80), status]);
      expect(response.headers.get('content-type')).toBe('application/json');
      shape.parse(await response.json());
    }
  });

  it.each(['/v1/heads/%ff', '/v1/heads?label=%e4', '/v1/heads?a=%', '/v1/heads/%f0%9f'])(
    'whose escapes are no UTF-8 is refused: %s',
    async (path) => {
      expect(await problemOf(await isolate.call(path))).toEqual({ status: 400, code: 'invalid_request' });
    },
  );

  it.each([
    ['a long query', 'a'.repeat(PATH_BYTES)],
    ['many parameters', Array.from({ length: MAX_QUERY_PARAMETERS + 1 }, (_, i) => `a${i}`).join('&')],
    ['nothing but separators', '&'.repeat(PATH_BYTES)],
  ])('with %s is refused, and no parameter is looked at', async (_, query) => {
    const looks = vi.spyOn(HonoRequest.prototype, 'query');
    for (const path of ['/v1/heads', '/v1/heads/a/examples', '/nothing']) {
      const response = await isolate.call(`${path}?${query}`);
      expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request' });
    }
    expect(looks).not.toHaveBeenCalled();
    looks.mockRestore();
  });

  it('with as many parameters as may be is read', () => {
    const url = `https://headwater.example/v1/heads?${'a&'.repeat(MAX_QUERY_PARAMETERS - 1)}`;
    expect(addressFault(url)).toBeUndefined();
    expect(addressFault(`${url}&`)).toMatchObject({ code: 'invalid_request' });
  });

  it('as long as may be is routed as it is', () => {
    const origin = 'https://headwater.example';
    const path = `/${'%C3%A4'.repeat((MAX_PATH_LENGTH - 2) / 6)}`;
    const query = `?${'a'.repeat(MAX_QUERY_LENGTH - 1)}`;
    expect(addressFault(`${origin}${path}${query}`)).toBeUndefined();
    expect(pathOf(new Request(`${origin}${path}${query}`))).toBe(decodeURI(path));
    expect(addressFault(`${origin}${path}${query}a`)).toMatchObject({ code: 'invalid_request' });
    expect(addressFault(`${origin}/${'a'.repeat(MAX_PATH_LENGTH)}`)).toMatchObject({ code: 'not_found' });
    expect(pathOf(new Request(`${origin}/${'a'.repeat(MAX_PATH_LENGTH)}`))).toBe('/?');
    expect(pathOf(new Request(`${origin}/v2/${'a'.repeat(MAX_PATH_LENGTH)}`))).toBe('/v2/?');
  });
});

const callTyped = (path: string, type: string): Promise<Response> =>
  isolate.call(path, { method: 'POST', headers: { 'content-type': type }, body: 'x' });

describe('a content type', () => {
  it.each([
    ['of many parameters', `multipart/form-data; ${'a=b;'.repeat(HALF_MEGABYTE / 4)}`],
    ['of one long word', 'x'.repeat(HALF_MEGABYTE)],
    ['of many blanks', `image/jpeg${' '.repeat(HALF_MEGABYTE)};`],
    ['a little too long', `image/jpeg;${'a'.repeat(MAX_CONTENT_TYPE_LENGTH)}`],
  ])('%s is refused on any path', async (_, type) => {
    for (const path of ['/v1/heads/pets/classify', '/v1/tenants', '/nothing'])
      expect(await problemOf(await callTyped(path, type))).toEqual({
        status: 415,
        code: 'unsupported_media_type',
      });
    for (const path of ['/hf-inference/models/pets', '/v2/models/pets/infer', '/customvision/v3.3/x'])
      expect((await callTyped(path, type)).status).toBe(415);
  });

  it('as long as may be is read', async () => {
    const start = 'image/jpeg;a=';
    const type = start + 'a'.repeat(MAX_CONTENT_TYPE_LENGTH - start.length);
    expect((await callTyped('/v1/heads/pets/classify', type)).status).toBe(401);
  });
});

describe('a multipart body', () => {
  const NEEDLES = ['-'.repeat(70), `${'-'.repeat(69)}x`, 'a'.repeat(70), 'b', `a${'-'.repeat(68)}a`];
  const BODIES = [
    '-',
    '\r',
    '\r\n',
    '\r\n--',
    'a',
    `\r\n--${'-'.repeat(69)}`,
    `\r\n--${'a'.repeat(69)}`,
    '\0',
  ];

  it('is searched in a time that grows with it alone, whatever the boundary', () => {
    for (const boundary of NEEDLES) {
      const search = new ByteSearch(`\r\n--${boundary}`);
      for (const piece of BODIES) {
        const bytes = new TextEncoder().encode(piece.repeat(20_000 / piece.length));
        let reads = 0;
        const counted = new Proxy(bytes, {
          get(target, key) {
            reads++;
            const value: unknown = Reflect.get(target, key, target);
            return value;
          },
        });
        expect(search.find(counted, 0)).toBe(-1);
        // Each window's last byte, its first, the length, and each byte once that fits the front.
        expect(reads, `${boundary} in ${piece}`).toBeLessThan(5 * bytes.length);
      }
    }
  });

  it('is found in, wherever it lies', () => {
    let state = 1;
    const random = (below: number): number => (state = (state * 48_271) % 0x7fffffff) % below;
    for (let round = 0; round < 2_000; round++) {
      const text = Array.from({ length: random(60) }, () => '\r\n-a'[random(4)]).join('');
      const needle = `\r${Array.from({ length: random(5) }, () => '\n-a'[random(3)]).join('')}`;
      const from = random(4);
      const found = new ByteSearch(needle).find(new TextEncoder().encode(text), from);
      expect(found, JSON.stringify([text, needle, from])).toBe(text.indexOf(needle, from));
    }
  });

  const TYPE = 'multipart/form-data; boundary=b';

  it.each([
    ['a parameter of blanks', `multipart/form-data; a${' '.repeat(HALF_MEGABYTE)}`],
    ['a quote that never ends', `multipart/form-data; boundary="${'\\'.repeat(HALF_MEGABYTE)}`],
    ['a boundary that is empty', 'multipart/form-data; boundary=""'],
    ['a boundary with a line break', 'multipart/form-data; boundary="a%0D%0Ab"'],
    ['a boundary of 71 characters', `multipart/form-data; boundary=${'b'.repeat(71)}`],
  ])('of a type with %s is refused', (_, type) => {
    expect(() => of('--b\r\ncontent-disposition: form-data; name=a\r\n\r\nx\r\n--b--', type)).toThrow(
      'boundary',
    );
  });

  it.each([
    ['blanks', `content-disposition:${' '.repeat(4000)}`],
    ['blank lines', `content-disposition:${'\n'.repeat(4000)}`],
    ['a word that never ends', `content-disposition: form-data; ${'a'.repeat(4000)}`],
    ['a quote that never ends', `content-disposition: form-data; name="${'\\"'.repeat(2000)}`],
  ])('whose part has headers of %s is refused', (_, headers) => {
    const body = `${`--b\r\n${headers}\r\n\r\nx\r\n`.repeat(256)}--b--`;
    expect(() => of(body, TYPE)).toThrow(/a part has no (name|end)/);
  });

  it('whose names are no UTF-8 is refused', () => {
    const body = new TextEncoder().encode(
      '--b\r\ncontent-disposition: form-data; name="K?se"\r\n\r\nx\r\n--b--',
    );
    expect(of(body, TYPE)).toMatchObject([{ name: 'K?se' }]);
    // "ä" in Latin-1.
    body[body.indexOf(0x3f)] = 0xe4;
    expect(() => of(body, TYPE)).toThrow('not UTF-8');
  });

  it('with a preamble, blanks behind boundaries, and parts of nothing is read', () => {
    const body = `for old readers\r\n--b \t\r\n${part('a', '')}\r\n--b\r\n${part('c', '\r\n--\r\n')}\r\n--b--\r\nend`;
    expect(of(body, TYPE).map(({ name, bytes }) => [name, new TextDecoder().decode(bytes)])).toEqual([
      ['a', ''],
      ['c', '\r\n--\r\n'],
    ]);
  });
});

const of = (body: string | Uint8Array, type: string) =>
  parseMultipart(typeof body === 'string' ? new TextEncoder().encode(body) : body, type, 256);

const part = (name: string, content: string) =>
  `content-disposition : form-data ; name = "${name}" ; filename=f\r\n\r\n${content}`;
