/** What decoding a PNG costs is told and bounded, and others have their turn. */
import { deflateRawSync, deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { MAX_CALL_WORK_MS } from '../../../src/image/limits.ts';
import { chunkEnd, concatLarge, encodePng, END, headerChunk, outcome, SIGNATURE } from './pngs.ts';
import { fixture, makePng, newDecoder, pngChunk } from './support.ts';

const decoder = newDecoder();
const size = { width: 37, height: 25 };

function refuse(): void {
  throw new RangeError('too much');
}

describe('work', () => {
  const shape = { width: 1500, height: 1000, depth: 8, colour: 2 };
  function large(value: number): Uint8Array {
    const raw = new Uint8Array(1000 * 4501).fill(value);
    for (let y = 0; y < 1000; y++) raw[y * 4501] = 0;
    return makePng(shape, raw);
  }

  it('is told before anything is decoded, and what the host throws ends it', async () => {
    const told: number[] = [];
    await decoder.decode(large(1), size, { allow: (ns) => told.push(ns) });
    expect(told[0]).toBeGreaterThan(1.5e6 * 3 * 4);
    const damaged = large(1);
    damaged[chunkEnd(damaged, 'IDAT') - 1] ^= 1;
    await expect(decoder.decode(damaged, size, { allow: refuse })).rejects.toThrow('too much');
  });

  it('of blocks that give nothing is told as they come', async () => {
    const empty = Uint8Array.of(0, 0, 0, 255, 255);
    const compress = (raw: Uint8Array): Uint8Array =>
      concatLarge([
        Uint8Array.of(0x78, 1),
        ...Array<Uint8Array>(20_000).fill(empty),
        deflateRawSync(raw),
        sumOf(raw),
      ]);
    const bytes = encodePng({ ...shape, width: 4, height: 4 }, new Uint16Array(48), () => 0, { compress });
    let told = 0;
    let pauses = 0;
    const pause = async (): Promise<void> => void pauses++;
    await decoder.decode(bytes, size, { allow: (ns) => (told += ns), pause });
    expect(told).toBeGreaterThan(20_000 * 1_000);
    expect(pauses).toBeGreaterThan(5);
    const interlaced = encodePng({ ...shape, width: 4, height: 4 }, new Uint16Array(48), () => 0, {
      compress,
      interlaced: true,
    });
    expect(await outcome(decoder, interlaced)).toContain('blocks');
  });

  it('is paused between rows, and pictures that are decoded at once do not meet', async () => {
    const fresh = newDecoder();
    const values = [10, 90, 170, 250];
    let running = 0;
    let most = 0;
    const decodeAll = values.map(async (value) => {
      let pauses = 0;
      const pause = async (): Promise<void> => {
        pauses++;
        most = Math.max(most, ++running);
        await new Promise((resolve) => setImmediate(resolve));
        running--;
      };
      const { pixels } = await fresh.decode(large(value), size, { pause });
      expect(pauses).toBeGreaterThan(5);
      expect(new Set(pixels)).toEqual(new Set([value]));
    });
    await Promise.all(decodeAll);
    expect(most).toBe(values.length);
    expect((await fresh.decode(fixture('rgb.png'), size)).pixels).toEqual(
      (await decoder.decode(fixture('rgb.png'), size)).pixels,
    );
  });

  it('pauses only while the host has memory for what is held', async () => {
    let held = 0;
    const requested: number[] = [];
    const hold = async <T>(bytes: number, task: () => Promise<T>): Promise<T> => {
      requested.push(bytes);
      held++;
      const result = await task();
      held--;
      return result;
    };
    const pausedWith: number[] = [];
    const pause = async (): Promise<void> => void pausedWith.push(held);
    await decoder.decode(large(1), size, { pause, hold });
    expect(new Set(pausedWith)).toEqual(new Set([1]));
    const widest = { ...shape, width: 32_767, height: 1, depth: 16, colour: 6 };
    await decoder.decode(makePng(widest, new Uint8Array(1 + 8 * 32_767)), size, { pause, hold });
    // Two rows, and at least the inflater's window beside them.
    expect(requested[0]).toBeGreaterThan(2 * 4_500 + 200_000);
    expect(requested[1]).toBeGreaterThan(2 * 8 * 32_767 + 200_000);
    await decoder.decode(fixture('exif-1.jpg'), size, { pause, hold });
    expect(requested).toHaveLength(2);
  });

  it('that is done in one go is refused by the header where it could take longer than one call may', async () => {
    for (const [side, depth, colour] of [
      [7_000, 1, 0],
      [6_900, 8, 3],
      [6_800, 8, 0],
      [3_400, 8, 2],
      [3_000, 16, 2],
    ])
      expect(await outcomeOfInterlaced(side, depth, colour), `${side}, ${depth} bits`).toContain(
        `at most ${MAX_CALL_WORK_MS} ms`,
      );
    expect(await outcomeOfInterlaced(3_500, 1, 0)).toContain('its compressed data');
    expect(await outcomeOfInterlaced(3_000, 8, 2)).toContain('its compressed data');
  });

  it('of a million empty chunks is refused', async () => {
    for (const type of ['IDAT', 'tEXt', 'teSt', 'PLTE']) {
      const chunk = pngChunk(type, new Uint8Array());
      const bytes = concatLarge([
        SIGNATURE,
        headerChunk(shape),
        ...Array<Uint8Array>(70_000).fill(chunk),
        END,
      ]);
      expect(await outcome(decoder, bytes), type).toContain('chunks');
    }
  });
});

/** Of one without data: nothing but its header tells what it is. */
function outcomeOfInterlaced(side: number, depth: number, colour: number): Promise<string> {
  const header = headerChunk({ width: side, height: side, depth, colour }, true);
  const palette = pngChunk('PLTE', new Uint8Array(3));
  return outcome(decoder, concatLarge([SIGNATURE, header, palette, pngChunk('IDAT', new Uint8Array()), END]));
}

function sumOf(raw: Uint8Array): Uint8Array {
  return new Uint8Array(deflateSync(raw)).subarray(-4);
}
