/** The budget of decoding that a request has, over all its pictures and in every form in which they come. */
import { zipSync, zlibSync } from 'fflate';
import { describe, expect, it, vi } from 'vitest';
import type { BatchLine } from '../../src/api/index.ts';
import { crc32 } from '../../src/crc32.ts';
import { GIVING_WAY_MS, MAX_REQUEST_WORK_MS, TENANT_MEMORY_BYTES } from '../../worker/limits.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import { predict } from '../../worker/isolate/right-of-way.ts';
import { Isolate, JPEG, makeHeadFile } from './support.ts';

const isolate = new Isolate();
const RGB16 = { bytesPerPixel: 6, depth: 16, colour: 2 };
const RGBA16 = { bytesPerPixel: 8, depth: 16, colour: 6 };

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** A flat RGB16 picture of a few kilobytes. @param rows how many of them are there. */
function flatPng(side: number, rows = side): Uint8Array<ArrayBuffer> {
  return png(side, RGB16, zlibSync(new Uint8Array(rows * (1 + RGB16.bytesPerPixel * side)), { level: 1 }));
}

function png(
  side: number,
  { depth, colour }: { depth: number; colour: number },
  data: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  new DataView(header.buffer).setUint32(0, side);
  new DataView(header.buffer).setUint32(4, side);
  header.set([depth, colour], 8);
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', header),
    chunk('IDAT', data),
    chunk('IEND', new Uint8Array()),
  ];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** 49 megapixels of 16 bits: seconds of work. Its data are none, so that nothing but the header can refuse it. */
const HUGE = png(7000, RGBA16, new Uint8Array(2_500_000));
/** About 215 ms: nine fit into the budget. */
const LARGE = flatPng(2500);

async function tenant(): Promise<string> {
  const { key } = await isolate.newTenant();
  await isolate.put(key, 'pets', await makeHeadFile());
  return key;
}

function form(pictures: readonly Uint8Array<ArrayBuffer>[], field = 'image'): FormData {
  const data = new FormData();
  for (const bytes of pictures) data.append(field, new Blob([bytes]), 'x.png');
  return data;
}

async function linesOf(response: Response): Promise<BatchLine[]> {
  const text = new TextDecoder().decode(await response.arrayBuffer());
  return Promise.all(
    text
      .trim()
      .split('\n')
      .map((line) => new Response(line).json<BatchLine>()),
  );
}

const json = (value: unknown) => ({ body: JSON.stringify(value), type: 'application/json' });
const base64 = HUGE.toBase64();

describe('the memory of decoders', () => {
  const BYTES = TENANT_MEMORY_BYTES / 4;

  /** Holds so much until it is let go. @returns how many hold theirs, and what ends all. */
  async function holdAll(owner: string, requests: number) {
    const { promise, resolve: letGo } = Promise.withResolvers<void>();
    const state = { running: 0, most: 0 };
    const holding = Array.from({ length: requests }, async () => {
      const work = new RequestWork();
      work.owner = owner;
      const { hold } = await work.nextPicture();
      await hold!(BYTES, async () => {
        state.most = Math.max(state.most, ++state.running);
        await promise;
        state.running--;
      });
    });
    await scheduler.wait(20);
    return { state, end: () => (letGo(), Promise.all(holding)) };
  }

  it('is bounded for a tenant, and then for all', async () => {
    const first = await holdAll('a', 10);
    const second = await holdAll('b', 3);
    const third = await holdAll('c', 3);
    // A share is four of them, and there are five and a half.
    expect([first, second, third].map(({ state }) => state.running)).toEqual([4, 1, 0]);
    await Promise.all([first.end(), second.end(), third.end()]);
    expect([first, second, third].map(({ state }) => state.running)).toEqual([0, 0, 0]);
  });

  it('is of the tenant whose key a request bears', async () => {
    const { key, id } = await isolate.newTenant();
    await isolate.put(key, 'pets', await makeHeadFile());
    const holding = await holdAll(id, 4);
    const answered = isolate.call('/v1/heads/pets/classify', { key, type: 'image/png', body: flatPng(30) });
    expect(await Promise.race([answered, scheduler.wait(300)])).toBeUndefined();
    await holding.end();
    expect((await answered).status).toBe(200);
  });
});

describe('a picture that takes more than a request may', () => {
  it.each([
    ['/v1/heads/pets/classify', { body: HUGE, type: 'image/png' }],
    ['/v1/heads/pets/classify', json({ image: base64 })],
    ['/v1/heads/pets/classify?explain=label', { body: HUGE, type: 'image/png' }],
    ['/v1/classify?heads=pets', { body: form([HUGE]) }],
    ['/v1/embed', { body: form([HUGE]) }],
    ['/v1/heads/new/teach', { body: form([HUGE], 'a') }],
    ['/v1/heads/new/teach', json({ examples: [{ label: 'a', image: base64 }] })],
    ['/hf-inference/models/pets', json({ inputs: base64 })],
    ['/client/v4/accounts/a/ai/run/@cf/pets', { body: HUGE, type: 'application/octet-stream' }],
    [
      '/v2/models/pets/infer',
      json({ inputs: [{ name: 'image', datatype: 'BYTES', shape: [1], data: [base64] }] }),
    ],
  ])('is refused by its header: %s', async (path, options) => {
    const response = await isolate.call(path, { key: await tenant(), ...options });
    expect(response.status).toBe(413);
    const text = await response.text();
    expect(text).toContain('too_much_work');
    expect(text).toContain('Picture 1 of this request takes about');
    expect(text).toContain(`one request may take ${MAX_REQUEST_WORK_MS} ms`);
  });
});

describe('pictures that take more than a request may together', () => {
  it('are refused in an embed request, which names the first one too many', async () => {
    const response = await isolate.call('/v1/embed', {
      key: await tenant(),
      body: form(Array(10).fill(LARGE)),
    });
    expect(response.status).toBe(413);
    expect(await response.text()).toMatch(/[Pp]icture 10 of this request/);
  });

  it('are lines of their own in a batch, and smaller ones behind them still answer', async () => {
    const broken = flatPng(2500, 1);
    const files = Object.fromEntries([...Array(12).keys()].map((i) => [`${i}.png`, broken]));
    const body = zipSync({ ...files, 'last.jpg': JPEG });
    const response = await isolate.call('/v1/heads/pets/classify-batch', {
      key: await tenant(),
      body,
      type: 'application/zip',
    });
    const lines = await linesOf(response);
    const codes = lines.map((line) => ('problem' in line ? line.problem.code : 'answered'));
    const [damaged, refused] = ['image_corrupt', 'too_much_work'].map((code) =>
      codes.filter((c) => c === code),
    );
    expect(codes).toEqual([...damaged, ...refused, 'answered', 'answered']);
    expect(damaged).toHaveLength(9);
    expect(lines.at(-1)).toMatchObject({ pictures: 13, failed: 12 });
  });

  it('count what a ZIP unpacks to', async () => {
    const files = Object.fromEntries(
      [...Array(16).keys()].map((i) => [`${i}.png`, new Uint8Array(19_000_000)]),
    );
    const body = zipSync(files, { level: 1 });
    expect(body.length).toBeLessThan(4_000_000);
    const response = await isolate.call('/v1/heads/pets/classify-batch', {
      key: await tenant(),
      body,
      type: 'application/zip',
    });
    const lines = await linesOf(response);
    const codes = lines.map((line) => ('problem' in line ? line.problem.code : 'answered'));
    expect(codes.slice(0, 13)).toEqual(Array(13).fill('image_format_unknown'));
    expect(new Set(codes.slice(14, 16))).toEqual(new Set(['too_much_work']));
  });

  it('count what a ZIP unpacks to also where that is damaged', async () => {
    const files = Object.fromEntries(
      [...Array(16).keys()].map((i) => [`${i}.png`, new Uint8Array(19_000_000)]),
    );
    const whole = zipSync(files, { level: 1 });
    // Checksums that are wrong, and data that break off.
    for (const spoil of [() => withChecksum(whole, 7), () => cutShort(whole)]) {
      const response = await isolate.call('/v1/heads/pets/classify-batch', {
        key: await tenant(),
        body: spoil(),
        type: 'application/zip',
      });
      const codes = (await linesOf(response)).map((line) => ('problem' in line ? line.problem.code : ''));
      expect(codes.slice(0, 12)).toEqual(Array(12).fill('invalid_request'));
      expect(codes.slice(14, 16)).toEqual(Array(2).fill('too_much_work'));
    }
  });
});

/** Where the directory's entries begin. */
function entriesOf(archive: Uint8Array): number[] {
  const signature = [0x50, 0x4b, 1, 2];
  return [...archive.keys()].filter((at) => signature.every((byte, i) => archive[at + i] === byte));
}

function withChecksum(archive: Uint8Array, checksum: number): Uint8Array<ArrayBuffer> {
  const spoiled = new Uint8Array(archive);
  for (const at of entriesOf(spoiled)) new DataView(spoiled.buffer).setUint32(at + 16, checksum, true);
  return spoiled;
}

/** Each entry's data without their last 20 bytes. */
function cutShort(archive: Uint8Array): Uint8Array<ArrayBuffer> {
  const spoiled = new Uint8Array(archive);
  const view = new DataView(spoiled.buffer);
  for (const at of entriesOf(spoiled)) view.setUint32(at + 20, view.getUint32(at + 20, true) - 20, true);
  return spoiled;
}

/** @returns how often it waited beside a prediction of somebody else. */
async function waits(predictions: number): Promise<number> {
  const work = new RequestWork();
  work.predictions = predictions;
  const { pause } = await work.nextPicture();
  const { promise, resolve } = Promise.withResolvers<void>();
  const all = Array.from({ length: predictions + 1 }, () => predict(() => promise));
  const wait = vi.spyOn(scheduler, 'wait');
  await pause!();
  const count = wait.mock.calls.length;
  wait.mockRestore();
  resolve();
  await Promise.all(all);
  return count;
}

describe('a pause', () => {
  it('lets predictions of others pass, in a request for one and where pictures are taught', async () => {
    expect(await waits(0)).toBe(1 + GIVING_WAY_MS);
    expect(await waits(1)).toBe(1 + GIVING_WAY_MS);
  });

  it('does not wait for its own prediction', async () => {
    const counts: number[] = [];
    const spy = vi.spyOn(RequestWork.prototype, 'nextPicture');
    spy.mockImplementation(function (this: RequestWork) {
      counts.push(this.predictions);
      return Promise.resolve({});
    });
    const key = await tenant();
    await isolate.call('/v1/heads/pets/classify', { key, type: 'image/jpeg', body: JPEG });
    await isolate.call('/v1/heads/new/teach', { key, body: form([new Uint8Array(JPEG)], 'a') });
    spy.mockRestore();
    expect(counts).toEqual([1, 0]);
  });
});

describe('numbers in the place of pictures', () => {
  it('are scored with a pause between rows', async () => {
    const { height, width } = runtime.input;
    const shape = [3, height, width, 3];
    const data = Array<number>(3 * height * width * 3).fill(7);
    const key = await tenant();
    const rest = vi.spyOn(RequestWork.prototype, 'rest');
    const { status } = await isolate.call('/v2/models/pets/infer', {
      key,
      ...json({ inputs: [{ name: 'x', datatype: 'UINT8', shape, data }] }),
    });
    expect(status).toBe(200);
    expect(rest).toHaveBeenCalledTimes(2);
    rest.mockRestore();
  });
});

describe('a budget', () => {
  it('charges work before it is done, and refuses nothing that fits', async () => {
    const work = new RequestWork();
    const first = await work.nextPicture();
    first.allow?.(MAX_REQUEST_WORK_MS * 1e6 - 1e6);
    const second = await work.nextPicture();
    expect(() => second.allow?.(1.5e6)).toThrow('Picture 2');
    expect(() => second.allow?.(1e6)).not.toThrow();
    expect(work.inflatableBytes).toBe(0);
  });

  it('is spent by what was unpacked, also by what was too much', async () => {
    const work = new RequestWork();
    const picture = await work.nextPicture();
    picture.allow?.(MAX_REQUEST_WORK_MS * 1e6 - 1e6);
    expect(() => work.inflated(1e6, 'Unpacking')).toThrow('Unpacking takes');
    expect(work.inflatableBytes).toBe(0);
    expect(() => picture.allow?.(1)).toThrow('besides');
  });
});
