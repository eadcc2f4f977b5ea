/** Chunks of a PNG that come twice, late or not at all, as libpng judges them. */
import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { concatLarge, END, headerChunk, outcome, SIGNATURE } from './pngs.ts';
import { newDecoder, pngChunk } from './support.ts';

const decoder = newDecoder();

type Around = (data: Uint8Array) => Uint8Array[];

/** The only pixel of a picture, or what is wrong with it. @param chunks its data's chunk among others. */
async function pixelOf(
  colour: number,
  samples: readonly number[],
  chunks: Around,
): Promise<number[] | string> {
  const data = pngChunk('IDAT', new Uint8Array(deflateSync(Uint8Array.from([0, ...samples]))));
  const header = headerChunk({ width: 1, height: 1, depth: 8, colour });
  const bytes = concatLarge([SIGNATURE, header, ...chunks(data), END]);
  const said = await outcome(decoder, bytes);
  if (said !== 'decoded') return said;
  return [...(await decoder.decode(bytes, { width: 1, height: 1 })).pixels];
}

const key = (red: number): Uint8Array => pngChunk('tRNS', Uint8Array.of(0, red, 0, 20, 0, 30));
const palette = (red: number): Uint8Array => pngChunk('PLTE', Uint8Array.of(red, 20, 30));
const rgb = (chunks: Around): Promise<number[] | string> => pixelOf(2, [10, 20, 30], chunks);
const indexed = (chunks: Around): Promise<number[] | string> => pixelOf(3, [0], chunks);

describe('of a PNG', () => {
  const white = [255, 255, 255];

  it('the first tRNS counts, where it stands before the data', async () => {
    expect(await rgb((data) => [key(10), key(11), data])).toEqual(white);
    expect(await rgb((data) => [key(11), key(10), data])).toEqual([10, 20, 30]);
    expect(await rgb((data) => [data, key(10)])).toEqual([10, 20, 30]);
  });

  it('a palette stands before its tRNS', async () => {
    const clear = pngChunk('tRNS', Uint8Array.of(0));
    expect(await indexed((data) => [palette(1), clear, data])).toEqual(white);
    expect(await indexed((data) => [clear, palette(1), data])).toEqual([1, 20, 30]);
  });

  it('one palette, before the data', async () => {
    expect(await indexed((data) => [palette(1), data])).toEqual([1, 20, 30]);
    expect(await indexed((data) => [palette(1), palette(2), data])).toContain('palette');
    expect(await indexed((data) => [data, palette(1)])).toContain('palette');
    expect(await indexed((data) => [data])).toContain('palette');
  });
});
