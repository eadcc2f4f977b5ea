import { describe, expect, it } from 'vitest';
import {
  cropJpeg,
  fixture,
  flatJpeg,
  largestDifference,
  makePng,
  newDecoder,
  newResizer,
} from './support.ts';

const decoder = newDecoder();
const resizer = newResizer();
const FULL = { width: 96, height: 64 };

/** The scene of make.py. */
function scene(): Uint8Array {
  const out = new Uint8Array(3 * 96 * 64);
  for (let y = 0, at = 0; y < 64; y++) {
    for (let x = 0; x < 96; x++, at += 3) {
      const marked = x < 20 && y < 12;
      out.set(
        marked ? [220, 30, 40] : [Math.round((255 * x) / 95), Math.round((255 * y) / 63), x + 2 * y],
        at,
      );
    }
  }
  return out;
}

function alphaAt(x: number, y: number): number {
  return Math.floor((255 * Math.min(90, x + y)) / 90);
}

function greys(value: (x: number, y: number) => number): Uint8Array {
  const out = new Uint8Array(3 * 96 * 64);
  for (let y = 0, at = 0; y < 64; y++)
    for (let x = 0; x < 96; x++, at += 3) out.fill(Math.round(value(x, y)), at, at + 3);
  return out;
}

function overWhite(value: number, alpha: number): number {
  return (value * alpha) / 255 + 255 - alpha;
}

function sceneOverWhite(): Uint8Array {
  return scene().map((v, i) =>
    Math.round(overWhite(v, alphaAt(Math.floor(i / 3) % 96, Math.floor(i / 288)))),
  );
}

async function pixelsOf(name: string): Promise<Uint8Array> {
  return (await decoder.decode(fixture(name), FULL)).pixels;
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0) / a.length;
}

describe('lossless formats, exactly', () => {
  it.each([
    'rgb.png',
    'interlaced.png',
    'rgb16.png',
    'exif-6.png',
    'apng.png',
    'lossless.webp',
    'exif-6.webp',
  ])('%s', async (name) => {
    expect(await pixelsOf(name)).toEqual(scene());
  });

  it('alpha.png over white', async () => {
    expect(await pixelsOf('alpha.png')).toEqual(sceneOverWhite());
  });

  it('grey16.png keeps the high byte', async () => {
    expect(await pixelsOf('grey16.png')).toEqual(greys((x) => (x * 680) >> 8));
  });

  it('grey-alpha.png', async () => {
    expect(await pixelsOf('grey-alpha.png')).toEqual(greys((x, y) => overWhite(2 * x, alphaAt(x, y))));
  });

  it('bit1.png', async () => {
    expect(await pixelsOf('bit1.png')).toEqual(greys((x) => (x % 8 < 4 ? 255 : 0)));
  });

  it('palette-alpha.png', async () => {
    const pixels = await pixelsOf('palette-alpha.png');
    for (const x of [0, 20, 95]) {
      const i = x >> 1;
      const expected = [5 * i, 255 - 5 * i, 100].map((v) => Math.round(overWhite(v, 5 * i)));
      expect([...pixels.subarray(3 * x, 3 * x + 3)]).toEqual(expected);
    }
  });

  it('animated.webp: the first frame at its place on a white canvas', async () => {
    const expected = new Uint8Array(3 * 96 * 64).fill(255);
    const whole = scene();
    for (let y = 8; y < 40; y++)
      expected.set(whole.subarray(3 * (y * 96 + 16), 3 * (y * 96 + 64)), 3 * (y * 96 + 16));
    expect(await pixelsOf('animated.webp')).toEqual(expected);
  });
});

describe('lossy formats, nearly', () => {
  const marked = ([1, 2, 3, 4, 5, 6, 7, 8] as const).map((n) => `exif-${n}.jpg`);
  it.each([...marked, 'progressive.jpg', 'cmyk.jpg', 'lossy.webp', 'subsampled.jpg'])('%s', async (name) => {
    expect(meanDifference(await pixelsOf(name), scene())).toBeLessThan(4);
  });

  it('grey.jpg has three equal channels of the right luma', async () => {
    const pixels = await pixelsOf('grey.jpg');
    const whole = scene();
    const luma = greys((x, y) => {
      const at = 3 * (y * 96 + x);
      return 0.299 * whole[at] + 0.587 * whole[at + 1] + 0.114 * whole[at + 2];
    });
    expect(meanDifference(pixels, luma)).toBeLessThan(2);
  });

  it('alpha.webp over white', async () => {
    expect(meanDifference(await pixelsOf('alpha.webp'), sceneOverWhite())).toBeLessThan(4);
  });
});

describe('a JPEG decoded at a fraction of its size', () => {
  // At 5/8 both sides end within a pixel: 57.5 × 38.125. Without regard to that the mean difference is above 2.
  const stored = { width: 92, height: 61, layout: 'rgb' } as const;
  const size = { width: 50, height: 33 };

  it.each(['exif-1.jpg', 'subsampled.jpg', 'progressive.jpg', 'grey.jpg'])(
    '%s stays in its place',
    async (name) => {
      const bytes = cropJpeg(fixture(name), stored.width, stored.height);
      const { pixels: data } = await decoder.decode(bytes, stored);
      const { pixels } = await decoder.decode(bytes, size);
      const [expected] = resizer.resize({ ...stored, data }, 1, [size]);
      expect(meanDifference(pixels, expected)).toBeLessThan(1);
    },
  );
});

describe('a JPEG that is turned', () => {
  it.each(['exif-4.jpg', 'exif-5.jpg', 'exif-8.jpg'])(
    'covers the target in its own columns and rows: %s',
    async (name) => {
      const { pixels: data } = await decoder.decode(fixture(name), FULL);
      for (const size of [
        { width: 96, height: 9 },
        { width: 9, height: 64 },
      ]) {
        const { pixels } = await decoder.decode(fixture(name), size);
        const [exact] = resizer.resize({ ...FULL, data, layout: 'rgb' }, 1, [size]);
        expect(largestDifference(pixels, exact)).toBeLessThanOrEqual(1);
      }
    },
  );
});

describe('what is reported', () => {
  it('gives format and upright sides, and leaves the file alone', async () => {
    for (const name of ['exif-4.jpg', 'exif-5.jpg', 'exif-6.jpg', 'exif-6.png', 'exif-6.webp']) {
      const bytes = fixture(name);
      const before = bytes.slice();
      const { width, height, format } = await decoder.decode(bytes, { width: 10, height: 10 });
      expect({ width, height }).toEqual(FULL);
      expect(name.endsWith(format.replace('jpeg', 'jpg'))).toBe(true);
      expect(bytes).toEqual(before);
    }
  });

  it('reads pictures in the middle of a larger buffer, with something after their end', async () => {
    for (const name of ['rgb.png', 'lossless.webp', 'exif-6.jpg', 'animated.webp']) {
      const bytes = fixture(name);
      const larger = new Uint8Array(bytes.length + 50).fill(0x5a);
      larger.set(bytes, 13);
      const got = await decoder.decode(larger.subarray(13), FULL);
      expect(largestDifference(got.pixels, await pixelsOf(name)), name).toBe(0);
    }
  });

  it('refuses an impossible target', async () => {
    for (const size of [
      { width: 0, height: 5 },
      { width: 5, height: 1.5 },
      { width: 1e6, height: 1 },
      { width: NaN, height: 1 },
    ]) {
      await expect(decoder.decode(fixture('rgb.png'), size)).rejects.toThrow(RangeError);
    }
  });
});

describe('large PNGs', () => {
  it('decodes 12 megapixels in little WASM memory', async () => {
    const fresh = newDecoder();
    const raw = new Uint8Array(3000 * 12001).fill(77);
    for (let y = 0; y < 3000; y++) raw[y * 12001] = 0;
    const bytes = makePng({ width: 4000, height: 3000, depth: 8, colour: 2 }, raw);
    const { pixels } = await fresh.decode(bytes, { width: 224, height: 224 });
    expect(pixels.every((v) => v === 77)).toBe(true);
    expect(fresh.peakMemoryBytes()).toBeLessThan(500_000);
  });
});

describe('large JPEGs', () => {
  const target = { width: 224, height: 224 };

  it('decodes 4000×3000 in less than 16 MB of WASM memory', async () => {
    const fresh = newDecoder();
    const { pixels, width, height } = await fresh.decode(flatJpeg(4000, 3000), target);
    expect({ width, height }).toEqual({ width: 4000, height: 3000 });
    expect(pixels.every((v) => v === 128)).toBe(true);
    expect(fresh.peakMemoryBytes()).toBeLessThan(16_000_000);
    expect(fresh.memoryBytes()).toBeLessThan(16_000_000);
  });

  it('does not grow from picture to picture, and lets go of large memories', async () => {
    const fresh = newDecoder();
    await fresh.decode(flatJpeg(4000, 3000), target);
    const once = fresh.memoryBytes();
    for (let i = 0; i < 5; i++) await fresh.decode(flatJpeg(4000, 3000), target);
    expect(fresh.memoryBytes()).toBe(once);
    await fresh.decode(flatJpeg(4000, 3000, 'progressive'), target);
    expect(fresh.peakMemoryBytes()).toBeGreaterThan(30_000_000);
    expect(fresh.memoryBytes()).toBeLessThan(10_000_000);
  });

  it('covers the target at every scale, so that nothing is enlarged needlessly', async () => {
    for (const side of [1, 7, 223, 224, 225, 256, 448, 449, 1792, 1793]) {
      const { pixels } = await decoder.decode(flatJpeg(side, 2 * side), target);
      expect(
        pixels.every((v) => v === 128),
        `${side}`,
      ).toBe(true);
    }
  });
});
