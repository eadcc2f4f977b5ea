/** Rules 2: the same picture as JPEG and as PNG has nearly the same pixels, and nearly the same code. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { Backbone } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import type { ImageInput } from '../../../src/image/index.ts';
import { mobileNet, liteBackbone } from '../backbone/files.ts';
import { BUILDS } from '../backbone/simd-support.ts';
import { photos } from '../photos.ts';
import { FIXTURES, fixture, newDecoder } from './support.ts';

const SIDES = [128, 160, 224, 288];
const decoder = newDecoder();

/** The same picture twice: as a JPEG, and as a PNG of all that this one holds. */
async function twins(path: string, width: number, height: number) {
  const jpeg = await sharp(path).resize(width, height, { fit: 'fill' }).jpeg({ quality: 97 }).toBuffer();
  const png = await sharp(jpeg).png().toBuffer();
  return { jpeg: new Uint8Array(jpeg), png: new Uint8Array(png) };
}

async function pixelsOf(bytes: Uint8Array, input: ImageInput): Promise<Uint8Array> {
  return (await decoder.decode(bytes, input)).pixels;
}

function meanDifference(a: Uint8Array, b: Uint8Array): number {
  return a.reduce((sum, v, i) => sum + Math.abs(v - b[i]), 0) / a.length;
}

const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, v, i) => sum + v * y[i], 0);

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

/** MobileNetV3-Small as if it allowed other sizes. */
function anySize(): Backbone {
  const backbone = mobileNet();
  const input = { ...backbone.plan.input, sides: SIDES };
  return { ...backbone, plan: { ...backbone.plan, input } };
}

describe.each([anySize(), liteBackbone()])(
  'a picture as JPEG and as PNG, for $plan.name',
  async (backbone) => {
    // In single precision: what 8 bits make of next to nothing leaves a cosine of about 0.999 by itself.
    const engine = createSimdEngine(backbone, BUILDS.plain);
    const [glass] = photos('test', 'glass', 1);
    const sources = [await twins(glass, 500, 375), await twins(glass, 1600, 1200)];
    const cosineAt = async ({ jpeg, png }: (typeof sources)[number], input: ImageInput): Promise<number> => {
      const codes = async (bytes: Uint8Array): Promise<Float32Array> =>
        engine.codes(await pixelsOf(bytes, input), input);
      return cosine(await codes(jpeg), await codes(png));
    };

    it.each(SIDES)('has nearly the same pixels and code by rules 2, at %i pixels', async (side) => {
      for (const source of sources) {
        const input = { width: side, height: side, rules: 2 } as const;
        const difference = meanDifference(
          await pixelsOf(source.jpeg, input),
          await pixelsOf(source.png, input),
        );
        expect(difference).toBeLessThan(0.2);
        expect(await cosineAt(source, input)).toBeGreaterThan(0.999);
      }
    });

    it('has others by rules 1 where its scale is the very input', async () => {
      const source = await twins(glass, 512, 384);
      const input = { width: 288, height: 288 };
      const [one, two] = [await cosineAt(source, input), await cosineAt(source, { ...input, rules: 2 })];
      expect(one).toBeLessThan(0.9995);
      expect(two).toBeGreaterThan(0.99999);
    });
  },
);

describe('pixel rules', () => {
  it('differ in JPEGs alone', async () => {
    for (const name of FIXTURES) {
      // A JPEG of 96×64 pixels covers it at 2/8, and 1.5 times it at 3/8.
      const size = { width: 24, height: 16 };
      const one = await pixelsOf(fixture(name), { ...size, rules: 1 });
      expect(Buffer.compare(one, await pixelsOf(fixture(name), size)), name).toBe(0);
      const same = Buffer.compare(one, await pixelsOf(fixture(name), { ...size, rules: 2 })) === 0;
      expect(same, name).toBe(!name.endsWith('.jpg'));
    }
  });

  it('give these bytes on every machine', async () => {
    const hash = createHash('sha256');
    for (const rules of [1, 2] as const) {
      for (const side of [5, 10, 20, 33])
        hash.update(await pixelsOf(fixture('exif-6.jpg'), { width: side, height: side, rules }));
    }
    expect(hash.digest('hex')).toBe('92a1d62a62bdb2a3bf2128034cba790055a35f3aab20025d1f58b19fc478c984');
  });
});
