/** classify-batch in workerd: forms and archives, lines while it works, archives that mean harm. */
import { Zip, ZipDeflate, ZipPassThrough, zipSync, type Zippable } from 'fflate';
import { describe, expect, it } from 'vitest';
import type { BatchLine, Classification } from '../../src/api/index.ts';
import { Isolate, JPEG, makeHeadFile, picture, problemOf } from './support.ts';

const isolate = new Isolate();
const NOT_A_PICTURE = new TextEncoder().encode('not a picture');

async function tenant(): Promise<string> {
  const { key } = await isolate.newTenant();
  await isolate.put(key, 'pets', await makeHeadFile());
  return key;
}

function post(key: string, body: BodyInit | Uint8Array, type?: string, query = ''): Promise<Response> {
  const path = `/v1/heads/pets/classify-batch${query}`;
  return isolate.call(path, { key, body, ...(type === undefined ? {} : { type }) });
}

async function linesOf(response: Response): Promise<BatchLine[]> {
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('application/x-ndjson');
  const text = new TextDecoder().decode(await response.arrayBuffer());
  expect(text.endsWith('\n')).toBe(true);
  return Promise.all(
    text
      .trim()
      .split('\n')
      .map((line) => new Response(line).json<BatchLine>()),
  );
}

function form(pictures: Readonly<Record<string, Uint8Array>>): FormData {
  const data = new FormData();
  for (const [name, bytes] of Object.entries(pictures)) data.append('image', new Blob([bytes]), name);
  return data;
}

const zip = (files: Zippable): Uint8Array => zipSync(files);

const many = (count: number): Zippable =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.jpg`, JPEG]));

async function refused(response: Promise<Response>): Promise<[status: number, code: string]> {
  const { status, code } = await problemOf(await response);
  return [status, code];
}

describe('a batch', () => {
  it('answers each picture as classify does, in order, and a summary last', async () => {
    const key = await tenant();
    const one = await (await isolate.classify(key, 'pets', '?top_k=1')).json<Classification>();
    const pictures = {
      'a.jpg': JPEG,
      'b.png': picture('palette-alpha.png'),
      'c.webp': picture('lossy.webp'),
      'd.txt': NOT_A_PICTURE,
    };
    for (const response of [
      await post(key, form(pictures), undefined, '?top_k=1'),
      await post(
        key,
        zip({ ...pictures, __MACOSX: { 'a.jpg': NOT_A_PICTURE }, '.DS_Store': NOT_A_PICTURE }),
        'application/zip',
        '?top_k=1',
      ),
    ]) {
      const lines = await linesOf(response);
      expect(lines).toHaveLength(5);
      expect(lines[0]).toEqual({
        index: 0,
        name: 'a.jpg',
        predictions: one.predictions,
        unknown: one.unknown,
        image: one.image,
      });
      expect(lines.slice(1, 3)).toMatchObject([
        { index: 1, name: 'b.png', image: { format: 'png' } },
        { index: 2, name: 'c.webp', image: { format: 'webp' } },
      ]);
      expect(lines[3]).toMatchObject({
        index: 3,
        name: 'd.txt',
        problem: { code: 'image_format_unknown', status: 415 },
      });
      expect(lines[4]).toEqual({ head: 'pets', version: 1, pictures: 4, failed: 1 });
    }
  });

  it('takes stored and folded archives, and a hundred pictures but no more', async () => {
    const key = await tenant();
    const nested = await linesOf(
      await post(key, zip({ folder: many(2), 'x.jpg': [JPEG, { level: 0 }] }), 'application/zip'),
    );
    expect(nested.at(-1)).toMatchObject({ pictures: 3, failed: 0 });
    const lines = await linesOf(await post(key, zip(many(100)), 'application/zip'));
    expect(lines.at(-1)).toMatchObject({ pictures: 100, failed: 0 });
    expect(await problemOf(await post(key, zip(many(101)), 'application/zip'))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  it('refuses empty batches, other types, other heads and strange parameters before it begins', async () => {
    const key = await tenant();
    expect(await refused(post(key, zip({}), 'application/zip'))).toEqual([400, 'invalid_request']);
    expect(await refused(post(key, new Uint8Array(0), 'application/zip'))).toEqual([400, 'body_empty']);
    expect(await refused(post(key, JPEG, 'image/jpeg'))).toEqual([415, 'unsupported_media_type']);
    expect(await refused(post(key, form({ a: JPEG }), undefined, '?explain=label'))).toEqual([
      400,
      'invalid_request',
    ]);
    const elsewhere = isolate.call('/v1/heads/wolves/classify-batch', { key, body: form({ a: JPEG }) });
    expect(await refused(elsewhere)).toEqual([404, 'head_not_found']);
  });
});

/** An archive as programs write it that don't know sizes and checksums beforehand: they follow behind each file. */
function streamed(level: 0 | 6): Uint8Array {
  const parts: Uint8Array[] = [];
  const archive = new Zip((error, part) => {
    if (error) throw error;
    parts.push(part);
  });
  for (const name of ['a.jpg', 'b.jpg']) {
    const file = level === 0 ? new ZipPassThrough(name) : new ZipDeflate(name, { level });
    archive.add(file);
    file.push(JPEG, true);
  }
  archive.end();
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** Changes bytes of an archive's first directory entry: its offset there, and the value, little-endian. */
function forge(archive: Uint8Array, offset: number, bytes: number[]): Uint8Array {
  const copy = archive.slice();
  const view = new DataView(copy.buffer);
  const directory = view.getUint32(copy.length - 22 + 16, true);
  copy.set(bytes, directory + offset);
  return copy;
}

describe('archives that mean harm', () => {
  it('a bomb costs its line and no memory; the others are answered', async () => {
    const key = await tenant();
    const bomb = new Uint8Array(64 << 20);
    const archive = zip({ 'bomb.png': bomb, 'a.jpg': JPEG });
    expect(archive.length).toBeLessThan(1 << 20);
    // The directory lies about what it unpacks to.
    const lines = await linesOf(await post(key, forge(archive, 24, [10, 0, 0, 0]), 'application/zip'));
    expect(lines).toMatchObject([
      { problem: { code: 'body_too_large', status: 413 } },
      { name: 'a.jpg', image: { format: 'jpeg' } },
      { pictures: 2, failed: 1 },
    ]);
  });

  it('damaged data cost their line', async () => {
    const key = await tenant();
    const archive = zip({ 'a.jpg': JPEG, 'b.jpg': JPEG });
    archive.fill(0xff, 40, 200);
    const lines = await linesOf(await post(key, archive, 'application/zip'));
    expect(lines).toMatchObject([{ problem: { status: 400 } }, { index: 1, image: {} }, { failed: 1 }]);
  });

  it('a file that is not what its checksum says costs its line, stored or deflated, wherever the sum stands', async () => {
    const key = await tenant();
    const other = picture('palette-alpha.png');
    for (const level of [0, 6] as const) {
      for (const archive of [zipSync({ 'a.jpg': JPEG, 'b.jpg': JPEG }, { level }), streamed(level)]) {
        expect(await linesOf(await post(key, archive, 'application/zip'))).toMatchObject([
          { image: { format: 'jpeg' } },
          { image: { format: 'jpeg' } },
          { failed: 0 },
        ]);
        const sum = forge(archive, 16, [1, 2, 3, 4]);
        const lines = await linesOf(await post(key, sum, 'application/zip'));
        expect(lines).toMatchObject([
          { problem: { status: 400, code: 'invalid_request' } },
          { image: { format: 'jpeg' } },
          { failed: 1 },
        ]);
        expect(JSON.stringify(lines[0])).toContain("'a.jpg' in the archive is damaged");
      }
    }
    // A picture that decodes, with one byte of its text chunk or its pixels changed.
    const stored = zipSync({ 'a.png': other }, { level: 0 });
    stored[30 + 'a.png'.length + other.length - 1] ^= 1;
    expect(await linesOf(await post(key, stored, 'application/zip'))).toMatchObject([
      { problem: { code: 'invalid_request' } },
      { failed: 1 },
    ]);
  });

  it.each<[string, (archive: Uint8Array) => Uint8Array]>([
    ['no directory', (archive) => archive.subarray(0, archive.length - 30)],
    [
      'a directory elsewhere',
      (archive) => Uint8Array.from([...archive.subarray(0, -6), 255, 255, 255, 0, 0, 0]),
    ],
    ['no archive at all', () => NOT_A_PICTURE],
    ['nothing but zeros', () => new Uint8Array(100)],
    ['encryption', (archive) => forge(archive, 8, [1, 0])],
    ['another method', (archive) => forge(archive, 10, [12, 0])],
    ['an entry beyond the end', (archive) => forge(archive, 42, [0, 0, 0, 1])],
    ['a size beyond the end', (archive) => forge(archive, 20, [0, 0, 0, 1])],
    ['ZIP64', (archive) => forge(archive, 42, [255, 255, 255, 255])],
    ['a name beyond the end', (archive) => forge(archive, 28, [255, 255])],
    [
      'more entries than there are',
      (archive) => {
        const copy = archive.slice();
        copy[copy.length - 22 + 10] = 9;
        return copy;
      },
    ],
  ])('%s', async (_, damage) => {
    const key = await tenant();
    const archive = damage(zip({ 'a.jpg': JPEG, 'b.jpg': JPEG }));
    expect(await problemOf(await post(key, archive, 'application/zip'))).toEqual({
      status: 400,
      code: 'invalid_request',
    });
  });

  it('entries that share their bytes are refused', async () => {
    const key = await tenant();
    const archive = zip({ 'a.jpg': JPEG, 'b.jpg': JPEG });
    const view = new DataView(archive.buffer);
    const directory = view.getUint32(archive.length - 22 + 16, true);
    const second = directory + 46 + 5;
    // Both point at the first, which claims to reach to the directory.
    view.setUint32(second + 42, 0, true);
    view.setUint32(directory + 20, directory - 35, true);
    view.setUint32(second + 20, directory - 35, true);
    const { code } = await problemOf(await post(key, archive, 'application/zip'));
    expect(code).toBe('invalid_request');
  });
});
