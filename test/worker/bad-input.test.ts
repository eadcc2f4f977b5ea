/** Every kind of bad input: its own status and code, and the next request works. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeHead, type Head } from '../../src/head/index.ts';
import { readSafetensors, writeSafetensors } from '../../src/safetensors.ts';
import { MAX_HEAD_BYTES, MAX_JSON_BYTES, MAX_PICTURES_PER_REQUEST } from '../../worker/limits.ts';
import { ADMIN_SECRET, Isolate, JPEG, makeHead, picture, problemOf, slowBytes, testEnv } from './support.ts';
import { runtime } from '../../worker/runtime.ts';

const isolate = new Isolate();
let key = '';
let head: Head;
let file: Uint8Array;

beforeAll(async () => {
  key = (await isolate.newTenant()).key;
  head = await makeHead();
  file = writeHead(head);
  expect((await isolate.put(key, 'pets', file)).status).toBe(201);
});

afterEach(async () => {
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
});

const classify = (body: BodyInit | Uint8Array | null, type = 'image/jpeg', query = '') =>
  isolate.call(`/v1/heads/pets/classify${query}`, { key, method: 'POST', type, body });

describe('pictures', () => {
  it.each<[string, () => Uint8Array | null, number, string]>([
    ['no body', () => null, 400, 'body_empty'],
    ['an empty body', () => new Uint8Array(0), 400, 'body_empty'],
    ['not a picture', () => text('<html>404</html>'), 415, 'image_format_unknown'],
    ['a GIF', () => text('GIF89a\x01\0\x01\0'), 415, 'image_format_unknown'],
    ['a truncated JPEG', () => JPEG.subarray(0, Math.floor(JPEG.length * 0.6)), 422, 'image_corrupt'],
    ['a JPEG that ends in its header', () => JPEG.subarray(0, 40), 422, 'image_corrupt'],
    ['a JPEG header of 30000×30000', () => jpegOfSize(30_000, 30_000), 413, 'image_too_many_pixels'],
    ['a PNG header of 30000×30000', () => pngOfSize(30_000, 30_000), 413, 'image_too_many_pixels'],
    ['a PNG bomb', () => pngOfSize(12_000, 12_000), 413, 'image_too_many_pixels'],
  ])('%s', async (_, body, status, code) => {
    expect(await problemOf(await classify(body()))).toEqual({ status, code });
  });

  it('a 1×1 picture is one', async () => {
    const response = await classify(await onePixelPng(), 'image/png');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ image: { width: 1, height: 1, format: 'png' } });
  });

  it('an animated WebP counts as its first frame', async () => {
    const response = await classify(picture('animated.webp'), 'image/webp');
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ image: { format: 'webp' } });
  });

  it('100 MB are refused unread where declared, and after the cap where not', async () => {
    const tooLarge = { status: 413, code: 'body_too_large' };
    const declared = slowBytes(100e6);
    const headers = { 'content-length': String(100e6) };
    const first = await isolate.call('/v1/heads/pets/classify', {
      key,
      headers,
      type: 'image/jpeg',
      body: declared.stream,
    });
    expect(await problemOf(first)).toEqual(tooLarge);
    expect(declared.sent()).toBeLessThanOrEqual(2 << 20);
    const undeclared = slowBytes(100e6);
    expect(await problemOf(await classify(undeclared.stream))).toEqual(tooLarge);
    expect(undeclared.sent()).toBeLessThan(24e6);
  });

  it.each([
    ['text/plain', 'unsupported_media_type'],
    ['application/x-www-form-urlencoded', 'unsupported_media_type'],
    ['video/mp4', 'unsupported_media_type'],
  ])('content type %s', async (type, code) => {
    expect(await problemOf(await classify(JPEG, type))).toEqual({ status: 415, code });
  });

  it.each<[string, string]>([
    ['{"image": "***"}', 'image'],
    ['{"image": 7}', ''],
    ['{}', ''],
    ['[]', ''],
    ['{"image": "AAAA", "url": "https://a.example/b.jpg"}', ''],
    ['{"image"', ''],
    ['\xff', ''],
  ])('JSON %s', async (json, field) => {
    const body = json === '\xff' ? Uint8Array.of(0xff) : json;
    const expected = { status: 400, code: 'invalid_request', ...(field === '' ? {} : { field }) };
    expect(await problemOf(await classify(body, 'application/json'))).toEqual(expected);
  });

  it.each([
    ['no boundary', 'multipart/form-data', '--x\r\n'],
    ['a boundary that never comes', 'multipart/form-data; boundary=x', 'hello'],
    [
      'no end',
      'multipart/form-data; boundary=x',
      '--x\r\ncontent-disposition: form-data; name="image"\r\n\r\nabc',
    ],
    ['a part without a name', 'multipart/form-data; boundary=x', '--x\r\nx-a: b\r\n\r\nabc\r\n--x--'],
    ['a part without headers', 'multipart/form-data; boundary=x', '--x\r\nabc\r\n--x--'],
    ['no part', 'multipart/form-data; boundary=x', '--x--'],
    ['endless boundaries', 'multipart/form-data; boundary=x', '--x\r\n'.repeat(100_000)],
  ])('multipart with %s', async (_, type, body) => {
    expect(await problemOf(await classify(body, type))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  it('multipart with another field, or more pictures than the call takes', async () => {
    const other = new FormData();
    other.append('photo', new File([JPEG], 'a.jpg'));
    const asked = isolate.call('/v1/heads/pets/classify', { key, body: other });
    expect(await problemOf(await asked)).toEqual({ status: 400, code: 'invalid_request', field: 'photo' });
    for (const [path, most] of [
      ['/v1/heads/pets/classify', 1],
      ['/v1/embed', MAX_PICTURES_PER_REQUEST],
    ] as const) {
      const form = new FormData();
      for (let i = 0; i <= most; i++) form.append('image', new File([JPEG], 'a.jpg'));
      const response = await isolate.call(path, { key, body: form });
      expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request' });
    }
  });

  it.each([
    'http://a.example/x.jpg',
    'https://127.0.0.1/x',
    'https://[::1]/x',
    'https://2130706433/',
    'https://localhost/x',
    'https://db.internal/x',
    'https://user:pass@a.example/',
    'https://a.example:8443/',
    'file:///etc/passwd',
    'nonsense',
  ])('URL %s', async (url) => {
    const response = await isolate.call('/v1/heads/pets/classify', { key, json: { url } });
    expect(await problemOf(response)).toEqual({ status: 400, code: 'url_refused', field: 'url' });
  });
});

describe('head files', () => {
  it.each<[string, () => Uint8Array, number, string]>([
    ['nothing', () => new Uint8Array(0), 400, 'body_empty'],
    ['text', () => new TextEncoder().encode('hello, world'), 422, 'head_invalid'],
    ['half a file', () => file.subarray(0, file.length / 2), 422, 'head_invalid'],
    ['a header longer than the file', () => withHeaderLength(2 ** 31), 422, 'head_invalid'],
    ['a header of 2^63 bytes', () => withHeaderLength(2 ** 62), 422, 'head_invalid'],
    [
      'overlapping tensors',
      () => withHeader((header) => (header['mean'].data_offsets = header['weights'].data_offsets)),
      422,
      'head_invalid',
    ],
    [
      'an offset beyond the end',
      () => withHeader((header) => (header['mean'].data_offsets = [0, 1e12])),
      422,
      'head_invalid',
    ],
    ['a hole', () => new Uint8Array([...file, 0, 0, 0, 0]), 422, 'head_invalid'],
    ['an unknown tensor', unknownTensor, 422, 'head_invalid'],
    ['not a number', notANumber, 422, 'head_invalid'],
    ['duplicate labels', () => withMetadata('labels', JSON.stringify(['cat', 'cat'])), 422, 'head_invalid'],
    [
      'a million labels',
      () => withMetadata('labels', JSON.stringify(Array.from({ length: 1e6 }, (_, i) => `${i}`))),
      413,
      'head_too_large',
    ],
    ['weights that do not do what they promise', () => withMetadata('temperature', '7'), 422, 'head_invalid'],
    [
      'another backbone',
      () =>
        withMetadata(
          'backbone',
          JSON.stringify({ name: 'x', version: '1', weights_sha256: 'ab'.repeat(32) }),
        ),
      409,
      'backbone_mismatch',
    ],
    ['more bytes than allowed', () => new Uint8Array(MAX_HEAD_BYTES + 1), 413, 'body_too_large'],
  ])('%s', async (_, bytes, status, code) => {
    expect(await problemOf(await isolate.put(key, 'pets', bytes()))).toEqual({ status, code });
    const detail = await isolate.call('/v1/heads/pets', { key });
    expect(await detail.json()).toMatchObject({ version: 1, versions: [{ version: 1 }] });
  });

  it('taps in another order', async () => {
    const plan = { ...runtime.plan, taps: runtime.plan.taps.toReversed() };
    const response = await isolate.put(key, 'pets', writeHead(await makeHead(['a', 'b'], 1, plan)));
    expect(await problemOf(response)).toEqual({ status: 409, code: 'backbone_mismatch' });
  });

  it('a content type that is none of a file', async () => {
    const response = await isolate.call('/v1/heads/pets', {
      key,
      method: 'PUT',
      type: 'image/png',
      body: file,
    });
    expect(await problemOf(response)).toEqual({ status: 415, code: 'unsupported_media_type' });
  });
});

describe('names, versions and queries', () => {
  it.each([
    ['/v1/heads/nobody/classify', 404, 'head_not_found', undefined],
    ['/v1/heads/Pets/classify', 400, 'invalid_request', 'head'],
    ['/v1/heads/.pets/classify', 400, 'invalid_request', 'head'],
    [`/v1/heads/${'a'.repeat(64)}/classify`, 400, 'invalid_request', 'head'],
    ['/v1/heads/pets%2F..%2Fdogs/classify', 400, 'invalid_request', 'head'],
    ['/v1/heads/pets/classify?version=2', 404, 'version_not_found', undefined],
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
    [`/v1/classify?heads=${Array(17).fill('pets').join(',')}`, 400, 'invalid_request', 'heads'],
    ['/v1/classify?heads=pets,nobody', 404, 'head_not_found', undefined],
    ['/v1/embed?encoding=hex', 400, 'invalid_request', 'encoding'],
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

  it("another tenant's head looks like none", async () => {
    const other = await isolate.newTenant();
    const responses = await Promise.all(
      ['pets', 'nobody'].flatMap((name) => [
        isolate.classify(other.key, name),
        isolate.classify(other.key, name, '?version=1'),
        isolate.call(`/v1/heads/${name}`, { key: other.key }),
        isolate.call(`/v1/heads/${name}/versions/1`, { key: other.key }),
        isolate.call(`/v1/heads/${name}/versions/1/activate`, { key: other.key, method: 'POST' }),
        isolate.call(`/v1/heads/${name}`, { key: other.key, method: 'DELETE' }),
      ]),
    );
    const bodies = await Promise.all(responses.map(async (response) => response.json<{ detail: string }>()));
    const seen = bodies.map((body) =>
      JSON.stringify({ ...body, instance: '' }).replaceAll(/pets|nobody/g, 'NAME'),
    );
    expect(seen.slice(0, 6)).toEqual(seen.slice(6));
    expect(bodies.every((body) => 'code' in body && body.code === 'head_not_found')).toBe(true);
  });
});

describe('keys and tenants', () => {
  it.each([
    ['none', undefined],
    ['of another scheme', 'Basic abc'],
    ['that is no key', 'Bearer abc'],
    ['of a tenant that never was', `Bearer hw_${'a'.repeat(16)}_${'b'.repeat(43)}`],
  ])('a key %s', async (_, authorization) => {
    const response = await isolate.call('/v1/heads', {
      headers: authorization === undefined ? {} : { authorization },
    });
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problemOf(response)).toEqual({ status: 401, code: 'unauthorized' });
  });

  it('a key that was made up for a tenant that is', async () => {
    const made = `${key.slice(0, -43)}${'b'.repeat(43)}`;
    expect(await problemOf(await isolate.call('/v1/heads', { key: made }))).toEqual({
      status: 401,
      code: 'unauthorized',
    });
  });

  it('a wrong admin secret, and none configured', async () => {
    expect(await problemOf(await createTenant(isolate, 'wrong'))).toEqual({
      status: 401,
      code: 'unauthorized',
    });
    expect(await problemOf(await createTenant(isolate, key))).toEqual({ status: 401, code: 'unauthorized' });
    const { HEADWATER_ADMIN_SECRET: _, ...without } = testEnv;
    const disabled = { status: 503, code: 'admin_disabled' };
    expect(await problemOf(await createTenant(new Isolate(without), ADMIN_SECRET))).toEqual(disabled);
    expect(
      await problemOf(
        await createTenant(new Isolate({ ...without, HEADWATER_ADMIN_SECRET: '' }), ADMIN_SECRET),
      ),
    ).toEqual(disabled);
  });

  it.each([
    ['{}', 'name'],
    ['{"name": ""}', 'name'],
    ['{"name": "a\\u0000b", "scopes": ["read"]}', 'name'],
    ['{"name": "x", "scopes": []}', 'scopes'],
    ['{"name": "x", "scopes": ["root"]}', 'scopes.0'],
    ['{"name": "x", "scopes": ["read", "read"]}', 'scopes'],
    ['{"name": "x", "scopes": ["read"], "tenant": "y"}', 'tenant'],
  ])('a new key from %s', async (body, field) => {
    const response = await isolate.call('/v1/keys', { key, type: 'application/json', body });
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', field });
  });

  it('a JSON body that is none, too large, or of another type', async () => {
    expect(await problemOf(await sendKey(''))).toEqual({ status: 400, code: 'body_empty' });
    expect(await problemOf(await sendKey('{'))).toEqual({ status: 400, code: 'invalid_request' });
    expect(await problemOf(await sendKey(' '.repeat(MAX_JSON_BYTES + 1)))).toEqual({
      status: 413,
      code: 'body_too_large',
    });
    expect(await problemOf(await sendKey('{}', 'text/plain'))).toEqual({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  it('revoking a key that is not there', async () => {
    const response = await isolate.call('/v1/keys/nosuchkey', { key, method: 'DELETE' });
    expect(await problemOf(response)).toEqual({ status: 404, code: 'key_not_found' });
  });
});

function jpegOfSize(width: number, height: number): Uint8Array {
  const bytes = JPEG.slice();
  const frame = bytes.findIndex(
    (byte, i) => byte === 0xff && (bytes[i + 1] === 0xc0 || bytes[i + 1] === 0xc2),
  );
  bytes.set([height >> 8, height & 255, width >> 8, width & 255], frame + 5);
  return bytes;
}

/** A PNG's signature and a valid header; what would follow is megabytes of zeros, well compressed. */
function pngOfSize(width: number, height: number): Uint8Array {
  const bytes = picture('rgb16.png').slice();
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  view.setUint32(29, crc32(bytes.subarray(12, 29)));
  return bytes;
}

async function onePixelPng(): Promise<Uint8Array> {
  const row = new Response(new Uint8Array([0, 200])).body!.pipeThrough(new CompressionStream('deflate'));
  const pixels = new Uint8Array(await new Response(row).arrayBuffer());
  const parts = [
    Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10),
    chunk('IHDR', Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0)),
    chunk('IDAT', pixels),
    chunk('IEND', new Uint8Array(0)),
  ];
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

const text = (value: string) => new TextEncoder().encode(value);

function changed(change: (tensors: ReturnType<typeof tensorsOf>) => void): Uint8Array {
  const tensors = tensorsOf();
  change(tensors);
  return writeSafetensors(tensors, readSafetensors(file).metadata);
}
const tensorsOf = () => new Map(readSafetensors(file).tensors);

function withMetadata(name: string, value: string): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  return writeSafetensors(tensors, { ...metadata, [name]: value });
}

function withHeaderLength(length: number): Uint8Array {
  const bytes = file.slice();
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}

const Header = z.record(z.string(), z.looseObject({ data_offsets: z.array(z.number()).optional() }));

function withHeader(change: (header: z.infer<typeof Header>) => void): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = Header.parse(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))));
  change(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + file.length - 8 - length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(file.subarray(8 + length), 8 + text.length);
  return bytes;
}

const unknownTensor = () =>
  changed((tensors) => tensors.set('extra', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }));

const notANumber = () =>
  changed((tensors) => {
    const weights = tensors.get('weights')!;
    const bytes = weights.bytes.slice();
    new DataView(bytes.buffer).setFloat32(8, NaN, true);
    tensors.set('weights', { ...weights, bytes });
  });

const createTenant = (from: Isolate, secret: string) =>
  from.call('/v1/tenants', { key: secret, json: { name: 'x' } });

const sendKey = (body: string, type = 'application/json') =>
  isolate.call('/v1/keys', { key, method: 'POST', type, body });

const chunk = (type: string, data: Uint8Array) => {
  const bytes = new Uint8Array(12 + data.length);
  new DataView(bytes.buffer).setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  new DataView(bytes.buffer).setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
};
