/** Decoders whose header says something else than their file, or that need more memory than they can get. */
import { describe, expect, it } from 'vitest';
import { HeadwaterError } from '../../../src/errors.ts';
import { createJpegDecoder, decodeJpeg } from '../../../src/image/jpeg/codec.ts';
import { readJpegHeader } from '../../../src/image/jpeg/header.ts';
import { MAX_WORKING_BYTES } from '../../../src/image/limits.ts';
import type { Raster } from '../../../src/image/pixels/raster.ts';
import { createWebpDecoder, decodeWebp } from '../../../src/image/webp/codec.ts';
import { readWebpHeader } from '../../../src/image/webp/header.ts';
import { fixture, modules, newMemories } from './support.ts';

const refuse = (): never => {
  throw new HeadwaterError('image_too_large', 'of the consumer');
};
const copyOf = ({ data, ...shape }: Raster) => ({ data: data.slice(), ...shape });

describe('the JPEG decoder', () => {
  const bytes = fixture('exif-1.jpg');
  const header = readJpegHeader(bytes);
  const decoder = createJpegDecoder(modules.jpeg, newMemories());
  const decode = (changed: object, n = 8) => decodeJpeg(decoder, bytes, { ...header, ...changed }, n, copyOf);

  it('gives rows of what the header says', () => {
    expect(decode({})).toMatchObject({
      width: 96,
      height: 64,
      layout: 'rgb',
      covered: { width: 96, height: 64 },
    });
    const fifth = decode({}, 5);
    expect(fifth).toMatchObject({ width: 60, height: 40, covered: { width: 60, height: 40 } });
    expect(fifth.data).toHaveLength(3 * 60 * 40);
  });

  it('refuses a file whose frame says another width or height', () => {
    for (const changed of [{ width: 97 }, { height: 65 }, { width: 95, height: 63 }])
      expect(() => decode(changed)).toThrow('contradict each other');
  });

  it('says so where it gets no memory, and goes on with the next', () => {
    expect(() => decode({ width: 60_000, height: 60_000 })).toThrow(
      '60000×60000 pixels needs more than 67 MB of memory',
    );
    expect(decode({}).width).toBe(96);
  });

  it('passes on what its consumer throws', () => {
    expect(() => decodeJpeg(decoder, bytes, header, 8, refuse)).toThrow('of the consumer');
  });
});

describe('the WebP decoder', () => {
  const header = readWebpHeader(fixture('lossless.webp'));
  const decoder = createWebpDecoder(modules.webp, newMemories());

  it('gives rows of what the header says', () => {
    expect(decodeWebp(decoder, header, copyOf)).toMatchObject({ width: 96, height: 64, layout: 'rgba' });
  });

  it('refuses a file whose data say another size', () => {
    const other = { ...header, frame: { ...header.frame, width: 95 } };
    expect(() => decodeWebp(decoder, other, copyOf)).toThrow('contradict each other');
    expect(decodeWebp(decoder, header, copyOf).width).toBe(96);
  });

  it('refuses damaged data, and says of which picture', () => {
    const pieces = header.pieces.map((piece) => piece.slice().fill(0xff, 20));
    expect(() => decodeWebp(decoder, { ...header, pieces }, copyOf)).toThrow(
      'damaged or cut short (96×64 pixels)',
    );
    expect(decodeWebp(decoder, header, copyOf).width).toBe(96);
  });

  it('says so where its module wants more memory than it may have, and not of the next picture', () => {
    const lossy = fixture('lossy.webp');
    const { pieces: _, ...rest } = readWebpHeader(lossy);
    const [width, height] = [5_000, 5_001];
    const view = new DataView(lossy.buffer);
    const at = Buffer.from(lossy).indexOf(Buffer.of(0x9d, 1, 0x2a)) + 3;
    view.setUint16(at, width, true);
    view.setUint16(at + 2, height, true);
    const large = { ...rest, width, height, frame: { ...rest.frame, width, height }, pieces: [lossy] };
    const limit = `5000×5001 pixels needs more than ${Math.floor(MAX_WORKING_BYTES / 1e6)} MB`;
    expect(() => decodeWebp(decoder, large, copyOf)).toThrow(limit);
    const damaged = header.pieces.map((piece) => piece.slice().fill(0xff, 20));
    expect(() => decodeWebp(decoder, { ...header, pieces: damaged }, copyOf)).toThrow('damaged');
    expect(decodeWebp(decoder, header, copyOf).width).toBe(96);
  });

  it('passes on what its consumer refuses', () => {
    expect(() => decodeWebp(decoder, header, refuse)).toThrow('of the consumer');
  });
});
