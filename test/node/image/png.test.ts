/** The PNG decoder: every form against samples, deflate against zlib, checksums, data that end early or late. */
import { constants, deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import {
  CHANNELS,
  chunkAt,
  chunkEnd,
  concatLarge,
  encodePng,
  END,
  FORMS,
  headerChunk,
  outcome,
  SIGNATURE,
  type PngOptions,
} from './pngs.ts';
import {
  concat,
  fixture,
  newDecoder,
  newResizer,
  pngChunk,
  randomIntegers,
  type PngShape,
} from './support.ts';

const decoder = newDecoder();
const resizer = newResizer();
const WIDTH = 37;
const HEIGHT = 25;
const size = { width: WIDTH, height: HEIGHT };

function randomSamples({ width, height, depth, colour }: PngShape, seed: number): Uint16Array {
  const random = randomIntegers(seed);
  return Uint16Array.from({ length: width * height * CHANNELS[colour] }, () => random(2 ** depth));
}

/** What a picture of these samples is, squashed to `size`. */
function expected(
  { width, height, depth, colour }: PngShape,
  samples: Uint16Array,
  palette?: Uint8Array,
  key?: Uint8Array,
) {
  const channels = CHANNELS[colour];
  const data = new Uint8Array(4 * width * height);
  const to8 = (v: number): number => (depth === 16 ? v >> 8 : (v * 255) / (2 ** depth - 1));
  const keyed = (values: readonly number[]): boolean =>
    key !== undefined && values.every((v, i) => v === (key[2 * i] << 8) + key[2 * i + 1]);
  for (let i = 0; i < width * height; i++) {
    const values = Array.from(samples.subarray(i * channels, (i + 1) * channels));
    if (palette !== undefined) {
      data.set([...palette.subarray(3 * values[0], 3 * values[0] + 3), key?.[values[0]] ?? 255], 4 * i);
      continue;
    }
    const colours = channels < 3 ? [values[0], values[0], values[0]] : values.slice(0, 3);
    const alpha = channels % 2 === 0 ? to8(values[channels - 1]) : keyed(values) ? 0 : 255;
    data.set([...colours.map(to8), alpha], 4 * i);
  }
  return resizer.resize({ width, height, data, layout: 'rgba' }, 1, [size])[0];
}

const GREY = { width: 300, height: 200, depth: 8, colour: 0 } as const;

/** Grey samples that deflate finds something in: runs, repeats near and far, and noise. */
function mixed(seed: number): Uint16Array {
  const random = randomIntegers(seed);
  const samples = new Uint16Array(GREY.width * GREY.height);
  for (let at = 0; at < samples.length;) {
    const length = 1 + random(400);
    const kind = random(3);
    const from = random(at + 1);
    const value = random(256);
    for (let i = 0; i < length; i++, at++)
      samples[at] = kind === 0 ? value : kind === 1 ? random(1 + value) : samples[from + i];
  }
  return samples;
}

describe('every form of a PNG', () => {
  it.each(FORMS)(
    'colour type %i with %i bits gives its samples, interlaced or not',
    async (colour, depth) => {
      for (const [width, height] of [
        [WIDTH, HEIGHT],
        [1, 1],
        [3, 9],
        [9, 2],
        [8, 8],
        [5, 1],
      ]) {
        const shape = { width, height, depth, colour };
        const samples = randomSamples(shape, colour * 100 + depth + width);
        const random = randomIntegers(width);
        const palette = colour === 3 ? Uint8Array.from({ length: 3 << depth }, () => random(256)) : undefined;
        const key =
          colour === 3
            ? Uint8Array.of(7, 200)
            : colour < 3
              ? Uint8Array.from(
                  Array.from(samples.subarray(0, CHANNELS[colour])).flatMap((v) => [v >> 8, v & 255]),
                )
              : undefined;
        const extra = concat(
          palette === undefined ? [] : pngChunk('PLTE', palette),
          key === undefined ? [] : pngChunk('tRNS', key),
        );
        for (const interlaced of [false, true]) {
          const bytes = encodePng(shape, samples, (row) => row % 5, { interlaced, extra });
          const { pixels } = await decoder.decode(bytes, size);
          expect(pixels, `${width}×${height}, ${interlaced}`).toEqual(expected(shape, samples, palette, key));
        }
      }
    },
  );
});

describe('compressed data', () => {
  const samples = mixed(3);
  const picture = (options: PngOptions) => encodePng(GREY, samples, (row) => row % 5, options);
  const right = expected(GREY, samples);

  it.each([
    ...[0, 1, 3, 6, 9].map((level) => [`level ${level}`, { level }] as const),
    ['fixed codes', { strategy: constants.Z_FIXED }],
    ['codes without matches', { strategy: constants.Z_HUFFMAN_ONLY }],
    ['runs', { strategy: constants.Z_RLE }],
    ['a small window', { windowBits: 9 }],
    ['many blocks', { memLevel: 1 }],
  ] as const)('with %s', async (_, options) => {
    const bytes = picture({ compress: (raw) => deflateSync(raw, options) });
    expect((await decoder.decode(bytes, size)).pixels).toEqual(right);
  });

  it('cut anywhere, empty chunks among them', async () => {
    const random = randomIntegers(1);
    const bytes = picture({
      cut: (data) => {
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < data.length;) {
          const length = random(3) * random(40);
          pieces.push(data.subarray(at, at + length));
          at += length;
        }
        return pieces;
      },
    });
    expect((await decoder.decode(bytes, size)).pixels).toEqual(right);
  });

  it('takes what zlib takes and refuses what zlib refuses', async () => {
    const random = randomIntegers(9);
    const counts = { taken: 0, refused: 0 };
    const raw = Uint8Array.from({ length: 401 }, (_, i) => (i === 0 ? 0 : random(i % 30 === 0 ? 256 : 4)));
    const shape = { width: 400, height: 1, depth: 8, colour: 0 };
    for (let round = 0; round < 1500; round++) {
      const packed = new Uint8Array(deflateSync(raw, { level: round % 10, strategy: round % 5 }));
      const at = random(packed.length - 4);
      if (round % 10 !== 0) packed[at] ^= 1 << random(8);
      const taken = zlibTakes(packed);
      counts[taken ? 'taken' : 'refused']++;
      const bytes = concat(SIGNATURE, headerChunk(shape), pngChunk('IDAT', packed), END);
      expect((await outcome(decoder, bytes)) === 'decoded', `round ${round}, byte ${at}`).toBe(taken);
    }
    expect(counts.taken).toBeGreaterThan(150);
    expect(counts.refused).toBeGreaterThan(1000);
  });
});

function zlibTakes(packed: Uint8Array): boolean {
  try {
    return inflateSync(packed).length >= 401;
  } catch {
    return false;
  }
}

function withWrongSum(raw: Uint8Array): Uint8Array {
  const packed = new Uint8Array(deflateSync(raw));
  packed[packed.length - 1] ^= 1;
  return packed;
}

const withoutRow = (raw: Uint8Array): Uint8Array => deflateSync(raw.subarray(0, -40));

describe('checksums', () => {
  const shape = { width: 6, height: 4, depth: 8, colour: 3 };
  const samples = randomSamples(shape, 1).map((v) => v % 2);
  const extra = concat(
    pngChunk('PLTE', Uint8Array.of(10, 20, 30, 200, 100, 50)),
    pngChunk('tRNS', Uint8Array.of(0)),
    fixture('exif-6.png').subarray(
      chunkAt(fixture('exif-6.png'), 'eXIf'),
      chunkEnd(fixture('exif-6.png'), 'eXIf'),
    ),
  );
  const whole = (interlaced: boolean) => encodePng(shape, samples, () => 0, { interlaced, extra });

  describe.each([false, true])('of a picture, interlaced: %s', (interlaced) => {
    it.each(['IHDR', 'PLTE', 'IDAT', 'IEND'])('a wrong one of %s is damage', async (type) => {
      const bytes = whole(interlaced);
      bytes[chunkEnd(bytes, type) - 1] ^= 1;
      expect(await outcome(decoder, bytes)).toContain('image_corrupt');
      expect(await outcome(decoder, bytes)).toContain('checksum');
    });

    it('a wrong one of the compressed data is damage, whatever the chunk says', async () => {
      const bytes = encodePng(shape, samples, () => 0, { interlaced, extra, compress: withWrongSum });
      expect(await outcome(decoder, bytes)).toContain('the checksum of its compressed data is wrong');
    });

    it('what an ancillary chunk with a wrong one says does not count, as in browsers', async () => {
      const right = await decoder.decode(whole(interlaced), size);
      expect(right).toMatchObject({ width: 4, height: 6 });
      const turned = whole(interlaced);
      turned[chunkEnd(turned, 'eXIf') - 1] ^= 1;
      expect(await decoder.decode(turned, size)).toMatchObject({ width: 6, height: 4 });
      const opaque = whole(interlaced);
      opaque[chunkEnd(opaque, 'tRNS') - 1] ^= 1;
      const { pixels } = await decoder.decode(opaque, size);
      expect(pixels).not.toEqual(right.pixels);
    });
  });
});

describe.each([false, true])('a PNG that ends early or late, interlaced: %s', (interlaced) => {
  const shape = { width: WIDTH, height: HEIGHT, depth: 8, colour: 2 };
  const samples = randomSamples(shape, 8);
  const make = (options: PngOptions) => encodePng(shape, samples, () => 1, { interlaced, ...options });

  it('is damaged where a byte of its compressed data is missing', async () => {
    for (const missing of [1, 4, 5, 100, 1500])
      expect(
        await outcome(decoder, make({ cut: (data) => [data.subarray(0, -missing)] })),
        `${missing}`,
      ).toContain('its compressed data end early');
  });

  it('is damaged where a row is missing', async () => {
    expect(await outcome(decoder, make({ compress: withoutRow }))).toContain('its compressed data end early');
  });

  it('is damaged without IEND', async () => {
    expect(await outcome(decoder, make({}).subarray(0, -12))).toContain('no IEND');
  });

  it('is whole with data beyond its rows, its stream or its end', async () => {
    const { pixels } = await decoder.decode(make({}), size);
    for (const bytes of [
      make({ compress: (raw) => deflateSync(concatLarge([raw, new Uint8Array(100_000)])) }),
      make({ cut: (data) => [data, new Uint8Array(70_000)] }),
      concat(make({}), new Uint8Array(1000)),
    ])
      expect((await decoder.decode(bytes, size)).pixels).toEqual(pixels);
  });

  it('is damaged where a chunk beyond its stream is', async () => {
    const bytes = make({ cut: (data) => [data, new Uint8Array(70_000)] });
    bytes[bytes.length - 13] ^= 1;
    expect(await outcome(decoder, bytes)).toContain('checksum');
  });
});
