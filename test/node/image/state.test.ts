import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { HeadwaterError } from '../../../src/errors.ts';
import type { ImageDecoder } from '../../../src/image/index.ts';
import { dcJpeg, withoutSegments } from './jpeg-maker.ts';
import { FIXTURES, fixture, flatJpeg, newDecoder, randomIntegers } from './support.ts';

const DHT = 0xc4;
const DQT = 0xdb;
const size = { width: 64, height: 48 };

/** The pixels' hash, or the error's code and message. */
async function outcome(decoder: ImageDecoder, bytes: Uint8Array): Promise<string> {
  try {
    const { pixels, width, height } = await decoder.decode(bytes, size);
    return `${width}×${height} ${createHash('sha256').update(pixels).digest('hex')}`;
  } catch (error) {
    if (error instanceof HeadwaterError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

/** Its entropy-coded data replaced from the middle on, so that the decoder fails or warns half-way. */
function spoiled(name: string): Uint8Array {
  const bytes = fixture(name);
  const end = bytes.length - 12;
  return bytes.fill(0x5a, Math.floor(bytes.length * 0.6), end);
}

const MADE: Readonly<Record<string, Uint8Array>> = {
  'standard tables': dcJpeg({ seed: 1 }),
  'no Huffman tables': withoutSegments(dcJpeg({ seed: 1 }), DHT),
  'no Huffman tables, grey': withoutSegments(dcJpeg({ seed: 2, components: 1 }), DHT),
  'no quantisation tables': withoutSegments(dcJpeg({ seed: 3 }), DQT),
  'no tables at all': withoutSegments(withoutSegments(dcJpeg({ seed: 3 }), DQT), DHT),
  'a progressive one without Huffman tables': withoutSegments(fixture('progressive.jpg'), DHT),
  'coarse quantisation': dcJpeg({ seed: 4, quantisation: 40 }),
  'restart intervals': dcJpeg({ seed: 5, restartInterval: 2 }),
  'restart intervals, a scan each component': dcJpeg({ seed: 6, restartInterval: 3, interleaved: false }),
  'tables of its own': flatJpeg(200, 150),
  'tables of its own, progressive': flatJpeg(200, 150, 'progressive'),
  'a large one': flatJpeg(4000, 3000),
  'a large one, progressive': flatJpeg(3000, 2000, 'progressive'),
  'a large one, cut short': flatJpeg(4000, 3000).fill(0xff, 9_000, -2),
};

const PICTURES: Readonly<Record<string, Uint8Array>> = {
  ...MADE,
  ...Object.fromEntries(FIXTURES.map((name) => [name, fixture(name)])),
  ...Object.fromEntries(
    FIXTURES.filter((_, i) => i % 2 === 0).map((name) => [`${name}, spoiled`, spoiled(name)]),
  ),
};

describe('a picture is decoded as if it were the first', () => {
  it('whatever came before it, in any order', async () => {
    const alone = new Map<string, string>();
    for (const [name, bytes] of Object.entries(PICTURES)) alone.set(name, await outcome(newDecoder(), bytes));
    const failing = [...alone.values()].filter((text) => text.startsWith('image_corrupt'));
    expect(failing.length).toBeGreaterThanOrEqual(12);
    const shared = newDecoder();
    const random = randomIntegers(16);
    const names = Object.keys(PICTURES);
    for (let i = 0; i < 12 * names.length; i++) {
      const name = names[random(names.length)];
      expect(await outcome(shared, PICTURES[name]), `${name}, decode ${i}`).toBe(alone.get(name));
    }
  });

  it('without Huffman tables it gets the standard ones, without quantisation tables it is corrupt', async () => {
    const decoder = newDecoder();
    for (const before of ['tables of its own', 'subsampled.jpg', 'coarse quantisation']) {
      await decoder.decode(PICTURES[before], size);
      expect(await outcome(decoder, MADE['no Huffman tables'])).toBe(
        await outcome(newDecoder(), MADE['standard tables']),
      );
      await decoder.decode(PICTURES[before], size);
      await expect(decoder.decode(MADE['no quantisation tables'], size)).rejects.toMatchObject({
        code: 'image_corrupt',
      });
    }
  });

  it('keeps its decoders between small pictures, so that the above says something', async () => {
    const decoder = newDecoder();
    for (const name of ['exif-1.jpg', 'rgb.png', 'lossy.webp']) {
      await decoder.decode(fixture(name), size);
      const held = decoder.memoryBytes();
      await decoder.decode(fixture(name), size);
      expect(decoder.memoryBytes(), name).toBe(held);
    }
    // The working memory's beginning, a PNG decoder and a resizer.
    expect(decoder.memoryBytes()).toBeGreaterThan((2 + 3 + 1) * 65_536);
  });
});
