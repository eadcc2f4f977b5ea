/** Several inputs from one decoding: each as if it were alone, and the bounds count all of them. */
import { describe, expect, it } from 'vitest';
import { readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { MAX_CALL_WORK_MS, MAX_TARGET_SIDE } from '../../../src/image/limits.ts';
import type { DecodeOptions, ImageInput } from '../../../src/image/index.ts';
import { planJob } from '../../../src/image/pixels/resize-job.ts';
import { beyondOne, resizeMemory, resizeWork } from '../../../src/image/pixels/resize-cost.ts';
import { chunkEnd, concatLarge, END, headerChunk, SIGNATURE } from './pngs.ts';
import {
  FIXTURES,
  fixture,
  flatJpeg,
  greyPng,
  makePng,
  newDecoder,
  pngChunk,
  randomIntegers,
} from './support.ts';

const INPUTS: readonly ImageInput[] = [
  { width: 12, height: 12 },
  { width: 40, height: 31, rules: 2 },
  { width: 12, height: 12, rules: 2 },
  { width: 200, height: 150 },
  { width: 9, height: 64, rules: 1 },
];
const MAX_CALL_NS = MAX_CALL_WORK_MS * 1e6;

/** What a host is told, and what it must allow, while a picture is decoded. */
async function observed(bytes: Uint8Array, inputs: readonly ImageInput[]) {
  const log = { allowed: [] as number[], held: [] as number[], pauses: 0 };
  const outcome = await newDecoder()
    .decodeAll(bytes, inputs, {
      allow: (ns) => void log.allowed.push(ns),
      pause: async () => void log.pauses++,
      hold: (bytes, task) => {
        log.held.push(bytes);
        return task();
      },
    })
    .catch((error: unknown) => error);
  return { ...log, outcome, work: log.allowed.reduce((sum, ns) => sum + ns, 0) };
}

const decode = (inputs: readonly ImageInput[], bytes = fixture('bit1.png'), options?: DecodeOptions) =>
  newDecoder().decodeAll(bytes, inputs, options);

const square = (side: number, rules: 1 | 2 = 1): ImageInput => ({ width: side, height: side, rules });

describe('several inputs', () => {
  it.each(FIXTURES)('are what each is alone: %s', async (name) => {
    const [shared, alone] = [newDecoder(), newDecoder()];
    const bytes = fixture(name);
    // The second time the tables of all of them are in the resizer's memory.
    for (const inputs of [INPUTS, INPUTS, INPUTS.toReversed(), INPUTS.slice(1, 3)]) {
      const all = await shared.decodeAll(bytes, inputs);
      expect(all).toHaveLength(inputs.length);
      for (const [i, input] of inputs.entries()) {
        const { pixels, ...facts } = await alone.decode(bytes, input);
        expect(Buffer.compare(all[i].pixels, pixels)).toBe(0);
        expect(all[i]).toMatchObject(facts);
      }
    }
  });

  it('may be one, and the same twice', async () => {
    const bytes = fixture('exif-6.jpg');
    const [one] = await newDecoder().decodeAll(bytes, [square(20)]);
    expect(await newDecoder().decodeAll(bytes, [square(20), square(20)])).toEqual([one, one]);
  });

  it('are so many pixels at most, and at least one input', async () => {
    const half = { width: MAX_TARGET_SIDE, height: MAX_TARGET_SIDE / 2 };
    expect(await decode([half, half])).toHaveLength(2);
    await expect(decode([half, half, square(1)])).rejects.toThrow('4194305 of 3 inputs');
    await expect(decode([])).rejects.toThrow(RangeError);
    await expect(decode([square(1), square(0)])).rejects.toThrow(RangeError);
    // @ts-expect-error there are no such rules.
    await expect(decode([square(1, 3)])).rejects.toThrow('no 3');
  });
});

describe('a JPEG for several inputs', () => {
  const bytes = flatJpeg(1600, 1200);
  const perDecode = readJpegHeader(bytes).work;
  const notTwice = (ns: number): void => {
    if (ns > 1.5 * perDecode) throw new RangeError('too much');
  };

  it('is decoded once for each scale', async () => {
    const same = await observed(bytes, [square(150), square(140), square(100, 2)]);
    expect(same.allowed).toHaveLength(1);
    expect(same.work).toBeGreaterThan(perDecode);
    expect(same.work).toBeLessThan(1.5 * perDecode);
    expect([same.pauses, same.held]).toEqual([0, []]);
    const three = await observed(bytes, [square(150), square(150, 2), square(300, 2)]);
    expect(three.allowed).toHaveLength(1);
    expect(three.work).toBeGreaterThan(3 * perDecode);
    // Others have their turn in between, while the results are held.
    expect(three.pauses).toBe(2);
    expect(three.held).toEqual([3 * (2 * 150 * 150 + 300 * 300)]);
  });

  it('is refused before any decoding where all scales together are more than the host allows', async () => {
    const damaged = flatJpeg(1600, 1200).fill(0x5a, 600, -2);
    const two = [square(150), square(150, 2)];
    await expect(decode(two, damaged)).rejects.toMatchObject({ code: 'image_corrupt' });
    await expect(decode(two, damaged, { allow: notTwice })).rejects.toThrow('too much');
    await expect(decode([square(150)], damaged, { allow: notTwice })).rejects.toMatchObject({
      code: 'image_corrupt',
    });
  });
});

/** Tall and narrow: next to nothing to decode, and as much to resize as a picture of its height can be. */
const TALL = { width: 1, height: 32_767 };

const INTERLACED = concatLarge([
  SIGNATURE,
  headerChunk({ ...TALL, depth: 8, colour: 0 }, true),
  pngChunk('IDAT', new Uint8Array()),
  END,
]);

describe('the work of many results', () => {
  it('grows with the pixels of the picture, and with the rows of each result', () => {
    expect(resizeWork({ width: 100, height: 50 }, { width: 10, height: 20 })).toBe(
      100 * 50 * 4 + (50 + 2 * 20) * 10 * 5,
    );
  });

  const many = Array.from({ length: 60 }, (_, i) => square(200 + i));

  it.each([
    ['a JPEG', flatJpeg(TALL.width, TALL.height)],
    ['an interlaced PNG', INTERLACED],
  ])('is bounded in one call: %s', async (_, bytes) => {
    const few = await observed(bytes, [square(200), square(201)]);
    expect(few.work).toBeGreaterThan(resizeWork(TALL, square(200)));
    expect(few.work).toBeLessThan(MAX_CALL_NS);
    const { outcome, work } = await observed(bytes, many);
    expect(outcome).toMatchObject({ code: 'image_too_many_pixels' });
    expect(work).toBe(0);
  });

  it('is bounded in one call for a WebP', async () => {
    const wide = Array.from({ length: 500 }, (_, i) => ({ width: MAX_TARGET_SIDE, height: 1 + (i % 4) }));
    const { outcome, work } = await observed(fixture('lossy.webp'), wide);
    expect(outcome).toMatchObject({ code: 'image_too_many_pixels' });
    expect(work).toBe(0);
  });

  it('is told of a PNG that is paused, and it pauses the more often', async () => {
    const png = greyPng(TALL.width, TALL.height, new Uint8Array(2 * TALL.height));
    const some = many.slice(0, 12);
    const [one, all] = [await observed(png, some.slice(0, 1)), await observed(png, some)];
    const more = beyondOne(some.map((size) => resizeWork(TALL, size)));
    expect(all.allowed[0] - one.allowed[0]).toBeCloseTo(more, -1);
    expect(all.pauses).toBeGreaterThan(one.pauses + 0.9 * (more / 5e6));
    expect(all.held[0] - one.held[0]).toBeGreaterThan(11 * 3 * 200 * 200);
  });

  it('does not let a PNG through that is damaged at its end', async () => {
    const png = makePng({ width: 8, height: 8, depth: 8, colour: 2 }, new Uint8Array(8 * 25));
    png[chunkEnd(png, 'IDAT') - 1] ^= 1;
    expect((await observed(png, INPUTS)).outcome).toMatchObject({ code: 'image_corrupt' });
  });
});

describe('the memory of a resize', () => {
  it('is at least what is laid out for it, and its result', () => {
    const random = randomIntegers(5);
    const side = (most: number): number => 1 + random(random(2) === 0 ? most : Math.min(most, 40));
    for (let round = 0; round < 400; round++) {
      const source = { width: side(3_000), height: side(3_000) };
      const target = { width: side(300), height: side(300) };
      const { job } = planJob({ source, covered: source, target }, 0);
      const needed = job.at.end + 3 * target.width * target.height;
      const estimate = resizeMemory(source, target);
      const what = `${source.width}×${source.height} to ${target.width}×${target.height}`;
      expect(estimate, what).toBeGreaterThanOrEqual(needed);
      expect(estimate, what).toBeLessThan(2 * needed + 140_000);
    }
  });

  it('is taken once for each result, and given up beyond what may be kept', async () => {
    const decoder = newDecoder();
    await decoder.decodeAll(fixture('rgb.png'), [square(160), square(224)]);
    const png = 3 * 65_536;
    const held = decoder.memoryBytes() - png;
    const fields = [160, 224].map((side) => resizeMemory({ width: 96, height: 64 }, square(side)));
    expect(held).toBeGreaterThan(3 * (160 * 160 + 224 * 224));
    expect(held).toBeLessThan(fields[0] + fields[1]);
  });
});
