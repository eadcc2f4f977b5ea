/** Pictures that are none, or mean harm, in every form that they come in: each its own status and code, and the next works. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PICTURES_PER_REQUEST } from '../../worker/limits.ts';
import { Isolate, JPEG, makeHeadFile, picture, problemOf, slowBytes } from './support.ts';

const isolate = new Isolate();
let key = '';

beforeAll(async () => {
  key = (await isolate.newTenant()).key;
  expect((await isolate.put(key, 'pets', await makeHeadFile())).status).toBe(201);
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
    const answer = isolate.call('/v1/heads/pets/classify', { key, body: other });
    expect(await problemOf(await answer)).toEqual({ status: 400, code: 'invalid_request', field: 'photo' });
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

const chunk = (type: string, data: Uint8Array) => {
  const bytes = new Uint8Array(12 + data.length);
  new DataView(bytes.buffer).setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  new DataView(bytes.buffer).setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
};
