/** Writing PNGs: what comes out is read by other code than ours, and by ours. */
import { crc32, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { crc32 as ownCrc32 } from '../../../src/crc32.ts';
import { encodePng } from '../../../src/image/png/encode.ts';
import { SIGNATURE } from './pngs.ts';
import { newDecoder, randomIntegers } from './support.ts';

/** Type and data of each chunk, whose lengths and checksums must be right. */
function chunksOf(file: Uint8Array): { type: string; data: Uint8Array }[] {
  const view = new DataView(file.buffer, file.byteOffset);
  const chunks = [];
  let at = SIGNATURE.length;
  while (at < file.length) {
    const end = at + 8 + view.getUint32(at);
    expect(view.getUint32(end)).toBe(crc32(file.subarray(at + 4, end)));
    chunks.push({
      type: Buffer.from(file.subarray(at + 4, at + 8)).toString(),
      data: file.subarray(at + 8, end),
    });
    at = end + 4;
  }
  expect(at).toBe(file.length);
  return chunks;
}

describe('encodePng', () => {
  const size = { width: 5, height: 3 };
  const random = randomIntegers(1);
  const pixels = Uint8Array.from({ length: 45 }, () => random(256));
  const file = encodePng(pixels, size);

  it('writes what the format wants: 8-bit RGB, every row as what it adds to the one above', () => {
    expect(file.subarray(0, 8)).toEqual(SIGNATURE);
    const chunks = chunksOf(file);
    expect(chunks.map(({ type }) => type)).toEqual(['IHDR', 'IDAT', 'IEND']);
    expect([...chunks[0].data]).toEqual([0, 0, 0, 5, 0, 0, 0, 3, 8, 2, 0, 0, 0]);
    expect(chunks[2].data).toHaveLength(0);
    const rows = [0, 1, 2].map((y) => pixels.subarray(15 * y, 15 * (y + 1)));
    const filtered = rows.flatMap((row, y) => [2, ...row.map((v, i) => v - (y === 0 ? 0 : rows[y - 1][i]))]);
    expect([...inflateSync(chunks[1].data)]).toEqual(filtered);
  });

  it('comes back as it was', async () => {
    const decoded = await newDecoder().decode(file, size);
    expect(decoded).toEqual({ pixels, ...size, format: 'png' });
  });

  it('refuses another number of bytes', () => {
    for (const length of [0, 44, 46])
      expect(() => encodePng(new Uint8Array(length), size)).toThrow(RangeError);
  });
});

it('crc32 is that of zlib', () => {
  const random = randomIntegers(2);
  for (const length of [0, 1, 9, 1_000]) {
    const bytes = Uint8Array.from({ length }, () => random(256));
    expect(ownCrc32(bytes)).toBe(crc32(bytes));
  }
});
