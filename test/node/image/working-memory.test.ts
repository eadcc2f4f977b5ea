/** The memory that C libraries work in, and how many there are over a series of pictures. */
import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HeadwaterError } from '../../../src/errors.ts';
import type { ImageDecoder } from '../../../src/image/index.ts';
import { MAX_IDLE_WORKING_BYTES, MAX_WORKING_BYTES } from '../../../src/image/limits.ts';
import { WorkingMemory } from '../../../src/image/memory/working-memory.ts';
import { fixture, flatJpeg, newDecoder } from './support.ts';

const PAGE = 65_536;
/** Where a new library's memory is not zero: at both ends of what is kept at once, and of the memory. */
const MARKS = [3, 1_026, 1_027, 5_000, 3 * PAGE - 1];

const bytesOf = ({ memory }: WorkingMemory): Uint8Array => new Uint8Array(memory.buffer);

describe('a working memory', () => {
  it('is again what it was, also after it has grown', () => {
    const working = new WorkingMemory();
    expect(working.growTo(2 * PAGE + 1)).toBe(true);
    for (const at of MARKS) bytesOf(working)[at] = 7;
    const start = working.snapshot();
    for (const pages of [3, 9, 4]) {
      working.growTo(pages * PAGE);
      bytesOf(working).fill(1, 0, pages * PAGE);
      working.restore(start);
      expect(MARKS.map((at) => bytesOf(working)[at])).toEqual(MARKS.map(() => 7));
      expect(bytesOf(working).reduce((sum, byte) => sum + byte)).toBe(7 * MARKS.length);
      expect(working.imports.heap_pages()).toBe(3);
    }
    working.clear();
    expect(bytesOf(working).every((byte) => byte === 0)).toBe(true);
    expect(working.imports.heap_pages()).toBe(2);
    expect(working.memory.buffer.byteLength).toBe(9 * PAGE);
  });

  it('gives a library the end of what it has, as the instruction memory.grow does', () => {
    const working = new WorkingMemory();
    const { heap_pages, grow_heap } = working.imports;
    expect([grow_heap(3), grow_heap(0), grow_heap(1), heap_pages()]).toEqual([2, 5, 5, 6]);
    working.clear();
    expect([grow_heap(1), heap_pages(), working.memory.buffer.byteLength / PAGE]).toEqual([2, 3, 6]);
  });

  it('ends at the bound, and says so until it is cleared', () => {
    const working = new WorkingMemory();
    expect(working.growTo(MAX_WORKING_BYTES)).toBe(true);
    expect(working.exhausted).toBe(false);
    expect(working.imports.grow_heap(1)).toBe(-1);
    expect(working.growTo(MAX_WORKING_BYTES + 1)).toBe(false);
    expect(working.exhausted).toBe(true);
    working.clear();
    expect(working.exhausted).toBe(false);
  });
});

describe('over a series of pictures', () => {
  const size = { width: 160, height: 160 };
  const Original = WebAssembly.Memory;
  /** Of those made since a test began, weakly. */
  let made: WeakRef<WebAssembly.Memory>[] = [];
  /** The most that were alive when another was made, and it. */
  let most = 0;

  beforeEach(() => {
    [made, most] = [[], 0];
    WebAssembly.Memory = new Proxy(Original, {
      construct(target, [descriptor]: [WebAssembly.MemoryDescriptor]) {
        const memory = new target(descriptor);
        // Other codecs' memories have no bound.
        if (descriptor.maximum === undefined) return memory;
        made = [...made.filter((each) => each.deref() !== undefined), new WeakRef(memory)];
        most = Math.max(most, made.length);
        return memory;
      },
    });
  });
  afterEach(() => {
    WebAssembly.Memory = Original;
  });

  async function outcome(decoder: ImageDecoder, bytes: Uint8Array): Promise<string> {
    try {
      return createHash('sha256')
        .update((await decoder.decode(bytes, size)).pixels)
        .digest('hex');
    } catch (error) {
      if (error instanceof HeadwaterError) return `${error.code}: ${error.message}`;
      throw error;
    }
  }

  it('there is one memory for JPEG and WebP, and each picture is as if it were the first', async () => {
    const all = await pictures();
    const alone: string[] = [];
    for (const bytes of all) alone.push(await outcome(newDecoder(), bytes));
    expect(alone.filter((text) => text.startsWith('image_corrupt'))).toHaveLength(3);
    [made, most] = [[], 0];
    const decoder = newDecoder();
    for (let i = 0; i < 6 * all.length; i++) {
      const k = (5 * i + Math.floor(i / all.length)) % all.length;
      expect(await outcome(decoder, all[k]), `picture ${k}, decode ${i}`).toBe(alone[k]);
    }
    expect(most).toBe(1);
    expect(decoder.peakMemoryBytes()).toBeGreaterThan(30_000_000);
    expect(decoder.memoryBytes()).toBeLessThanOrEqual(MAX_IDLE_WORKING_BYTES + 6_300_000);
  });

  it('failed ones neither end the stack nor cost an instance', async () => {
    const decoder = newDecoder();
    const good = fixture('subsampled.jpg');
    const bad = fixture('subsampled.jpg').fill(0x5a, 700, -12);
    const spoiledTables = withBadTable(good);
    const expected = await outcome(decoder, good);
    const held = decoder.memoryBytes();
    for (let i = 0; i < 500; i++) {
      expect(await outcome(decoder, bad)).toMatch('image_corrupt');
      expect(await outcome(decoder, spoiledTables)).toMatch('image_corrupt');
    }
    expect(await outcome(decoder, good)).toBe(expected);
    expect(made).toHaveLength(1);
    expect(decoder.memoryBytes()).toBe(held);
  });
});

async function pictures(): Promise<readonly Uint8Array[]> {
  const create = {
    width: 2_000,
    height: 1_500,
    channels: 3,
    background: 'grey',
    noise: { type: 'gaussian', mean: 128, sigma: 20 },
  } as const;
  const noise = sharp({ create });
  return [
    fixture('exif-1.jpg'),
    flatJpeg(4_000, 3_000),
    // The decoder's stack is where it gave up.
    flatJpeg(4_000, 3_000).fill(0xff, 9_000, -2),
    fixture('lossy.webp'),
    flatJpeg(4_000, 3_000, 'progressive'),
    fixture('subsampled.jpg').fill(0x5a, 700, -12),
    new Uint8Array(await noise.webp().toBuffer()),
    fixture('lossless.webp').fill(0xff, 40),
    new Uint8Array(await noise.jpeg({ progressive: true }).toBuffer()),
  ];
}

/** A Huffman table with more codes than there can be: libjpeg stops deep in its calls. */
function withBadTable(file: Uint8Array): Uint8Array {
  const at = Buffer.from(file).indexOf(Buffer.of(0xff, 0xc4));
  const bad = file.slice();
  bad[at + 5] = 3;
  return bad;
}
