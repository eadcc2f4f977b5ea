import { describe, expect, it } from 'vitest';
import { hostileJpegs } from '../../../bench/hostile/jpeg.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { readOrientation } from '../../../src/image/exif.ts';
import { readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { MAX_CALL_WORK_MS } from '../../../src/image/limits.ts';
import { readPngHeader } from '../../../src/image/png/header.ts';
import { readWebpHeader } from '../../../src/image/webp/header.ts';
import { dcJpeg, segment } from './jpeg-maker.ts';
import { concat, fixture, newDecoder, pngChunk, randomIntegers } from './support.ts';

const decoder = newDecoder();
const size = { width: 96, height: 64 };

async function pixelsOf(bytes: Uint8Array): Promise<Uint8Array | string> {
  try {
    return (await decoder.decode(bytes, size)).pixels;
  } catch (error) {
    if (error instanceof HeadwaterError) return error.code;
    throw error;
  }
}

interface Part {
  readonly marker: number;
  readonly bytes: Uint8Array;
  /** Where a scan's data start in it. */
  readonly data: number;
}

/** Segments, each scan with its data; SOI before and EOI behind are left out. */
function partsOf(file: Uint8Array): Part[] {
  const parts: Part[] = [];
  for (let at = 2; file[at + 1] !== 0xd9;) {
    const marker = file[at + 1];
    const data = 2 + ((file[at + 2] << 8) | file[at + 3]);
    let end = at + data;
    const goesOn = (): boolean =>
      file[end] !== 0xff || file[end + 1] === 0 || (file[end + 1] & 0xf8) === 0xd0;
    if (marker === 0xda) while (goesOn()) end++;
    parts.push({ marker, bytes: file.subarray(at, end), data });
    at = end;
  }
  return parts;
}

const joined = (parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  concat([0xff, 0xd8], ...parts, [0xff, 0xd9]);

const FILES: Readonly<Record<string, Uint8Array>> = {
  baseline: fixture('exif-1.jpg'),
  progressive: fixture('progressive.jpg'),
  CMYK: fixture('cmyk.jpg'),
  'restart intervals': dcJpeg({ seed: 1, restartInterval: 3 }),
  'a scan each component': dcJpeg({ seed: 2, interleaved: false }),
};

describe('a JPEG with stray bytes between its segments', () => {
  it.each(Object.entries(FILES))('%s: the same pixels, also before the end of image', async (_, file) => {
    const whole = await pixelsOf(file);
    const random = randomIntegers(file.length);
    for (let round = 0; round < 12; round++) {
      const stray = (): number[] => Array.from({ length: random(4) }, () => random(255));
      const parts = partsOf(file).flatMap(({ bytes }, i) => [i === 0 ? [] : stray(), bytes]);
      expect(await pixelsOf(joined([...parts, stray()]))).toEqual(whole);
    }
  });

  it.each(Object.entries(FILES))('%s: a scan that is cut is corrupt all the same', async (_, file) => {
    const random = randomIntegers(file.length + 1);
    const parts = partsOf(file);
    const scans = parts.filter(({ marker }) => marker === 0xda);
    for (let round = 0; round < 40; round++) {
      const cut = scans[random(scans.length)];
      const dataBytes = cut.bytes.length - cut.data;
      if (dataBytes < 12) continue;
      const kept = cut.data + random(dataBytes - 8);
      const stray = round % 2 === 0 ? [1, 2, 3] : [];
      const damaged = parts.flatMap((part, i) => [
        i === 0 ? [] : stray,
        part === cut ? part.bytes.subarray(0, kept) : part.bytes,
      ]);
      expect(await pixelsOf(joined(damaged)), `round ${round}, ${kept} of ${cut.bytes.length}`).toBe(
        'image_corrupt',
      );
    }
  });

  it('a restart interval that is missing is corrupt', async () => {
    const file = FILES['restart intervals'];
    const at = file.findIndex((v, i) => v === 0xff && file[i + 1] === 0xd2);
    const next = file.findIndex((v, i) => v === 0xff && file[i + 1] === 0xd3);
    expect(await pixelsOf(concat(file.subarray(0, at), file.subarray(next)))).toBe('image_corrupt');
  });
});

describe('scans of a JPEG that are missing', () => {
  it('are allowed where a progressive one ends early, whole', async () => {
    const parts = partsOf(FILES.progressive);
    const first = parts.findIndex(({ marker }) => marker === 0xda);
    expect(await pixelsOf(joined(parts.slice(0, first + 1).map(({ bytes }) => bytes)))).toBeInstanceOf(
      Uint8Array,
    );
  });

  it('are not where a component has none', async () => {
    const parts = partsOf(FILES['a scan each component']).map(({ bytes }) => bytes);
    expect(await pixelsOf(joined(parts.slice(0, -1)))).toBe('image_corrupt');
  });
});

const TIFF = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8];
const ORIENTATION = [0x01, 0x12, 0, 3, 0, 0, 0, 1, 0];
const exif = (value: number): number[] => [...TIFF, 0, 1, ...ORIENTATION, value, 0, 0, 0, 0, 0, 0];
const EXIF = [0x45, 0x78, 0x69, 0x66, 0, 0];
const NOTHING = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0];
const DAMAGED = [0x4d, 0x4d, 0, 42, 255, 255, 255, 255];
const BLOCKS: readonly (readonly [string, readonly number[][], number])[] = [
  ['6, then 1', [exif(6), exif(1)], 6],
  ['6, then none', [exif(6), NOTHING], 6],
  ['none, then 6', [NOTHING, exif(6)], 6],
  ['a damaged one, then 6', [DAMAGED, exif(6)], 6],
  ['0, then 9, then 3', [exif(0), exif(9), exif(3)], 3],
  ['9 alone', [exif(9)], 1],
];

describe('several Exif blocks: the first that has an orientation counts', () => {
  it.each(BLOCKS)('%s', (_, blocks, expected) => {
    const jpeg = dcJpeg({ seed: 1 });
    const segments = blocks.map((block) => segment(0xe1, [...EXIF, ...block]));
    expect(readJpegHeader(concat(jpeg.subarray(0, 2), ...segments, jpeg.subarray(2))).orientation).toBe(
      expected,
    );
    const png = fixture('rgb.png');
    const chunks = blocks.map((block) => pngChunk('eXIf', Uint8Array.from(block)));
    expect(readPngHeader(concat(png.subarray(0, 33), ...chunks, png.subarray(33))).orientation).toBe(
      expected,
    );
    expect(readWebpHeader(webpWith(blocks)).orientation).toBe(expected);
  });

  it('in a JPEG up to its first scan', () => {
    const parts = partsOf(FILES.progressive).map(({ bytes }) => bytes);
    const scan = partsOf(FILES.progressive).findIndex(({ marker }) => marker === 0xda);
    const turned = segment(0xe1, [...EXIF, ...exif(6)]);
    const orientation = (at: number): number =>
      readJpegHeader(joined([...parts.slice(0, at), turned, ...parts.slice(at)])).orientation;
    expect([orientation(scan), orientation(scan + 1), orientation(parts.length)]).toEqual([6, 1, 1]);
  });

  it('and in a block the first entry', () => {
    const entries = [exif(9), exif(8), exif(3)].flatMap((block) => block.slice(10, 22));
    const block = [...exif(1).slice(0, 9), 3, ...entries, 0, 0, 0, 0];
    expect(readOrientation(Uint8Array.from(block))).toBe(8);
  });
});

/** A fixture with other Exif chunks instead of its own. */
function webpWith(blocks: readonly number[][]): Uint8Array {
  const file = fixture('exif-6.webp');
  const at = Buffer.from(file).indexOf('EXIF');
  const chunks = blocks.map((block) => concat([...Buffer.from('EXIF'), block.length, 0, 0, 0], block));
  const whole = concat(file.subarray(0, at), ...chunks);
  new DataView(whole.buffer).setUint32(4, whole.length - 8, true);
  return whole;
}

describe('the work on a JPEG is known from its headers', () => {
  it('which no construction exceeds that is decoded', () => {
    for (const [name, bytes] of Object.entries(hostileJpegs())) {
      try {
        expect(readJpegHeader(bytes).work, name).toBeLessThanOrEqual(MAX_CALL_WORK_MS * 1e6);
      } catch (error) {
        expect(error, name).toBeInstanceOf(HeadwaterError);
      }
    }
  });

  it('every scan counts, behind a comment that looks like an end as well', async () => {
    const parts = partsOf(FILES['a scan each component']).map(({ bytes }) => bytes);
    const comment = segment(0xfe, [0xff, 0xd9]);
    const scans = Array.from({ length: 70 }, () => parts[parts.length - 1]);
    expect(await pixelsOf(joined([...parts, comment, ...scans.slice(0, 10)]))).toBeInstanceOf(Uint8Array);
    expect(await pixelsOf(joined([...parts, comment, ...scans]))).toBe('image_corrupt');
    const once = readJpegHeader(joined(parts)).work;
    expect(readJpegHeader(joined([...parts, comment, ...scans.slice(0, 10)])).work).toBeGreaterThan(
      1.5 * once,
    );
  });
});
