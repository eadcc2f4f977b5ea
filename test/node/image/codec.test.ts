/** How codecs are kept between pictures, on a codec that is nothing but memory. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Codec, CodecSlot, exported, exportedMemory } from '../../../src/image/codec.ts';
import { JPEG_HEAP_BYTES, MAX_IDLE_GROWTH_BYTES, MAX_WORKING_BYTES } from '../../../src/image/limits.ts';
import { fixture, flatJpeg, newDecoder } from './support.ts';

const PAGE = 65_536;

interface Bare extends Codec {
  readonly number: number;
}

const USED = 10_000;
/** Where a new instance's memory is not zero: at both ends of what is kept at once, and of what a picture touches. */
const MARKS = [3, 1_026, 1_027, 5_000, USED - 1, USED];

function slotOf(maxGrowthPages: number) {
  let made = 0;
  const create = (): Bare => {
    const memory = new WebAssembly.Memory({ initial: 2 });
    const bytes = new Uint8Array(memory.buffer);
    for (const at of MARKS) bytes[at] = 7;
    return { memory, usedBytes: () => USED, number: ++made };
  };
  return new CodecSlot(create, maxGrowthPages * PAGE);
}

const fill = ({ memory }: Bare): void => void new Uint8Array(memory.buffer, 0, USED).fill(1);
const numberOf = ({ number }: Bare): number => number;

const check = ({ memory, number }: Bare): void => {
  const bytes = new Uint8Array(memory.buffer);
  expect(MARKS.map((at) => bytes[at])).toEqual(MARKS.map(() => 7));
  expect(bytes.reduce((sum, byte) => sum + byte)).toBe(7 * MARKS.length);
  expect(number).toBe(1);
};

const fail = (): never => {
  throw new RangeError('damaged');
};

describe('a codec between two pictures', () => {
  it('is kept, as it was when it was new', async () => {
    const slot = slotOf(0);
    slot.use(fill);
    slot.use((codec) => {
      check(codec);
      fill(codec);
    });
    await slot.hold(async (codec) => {
      check(codec);
      fill(codec);
    });
    slot.use(check);
    expect(slot.memoryBytes()).toBe(2 * PAGE);
  });

  it('is given up where a picture fails', async () => {
    const slot = slotOf(0);
    expect(() => slot.use(fail)).toThrow(RangeError);
    expect(slot.memoryBytes()).toBe(0);
    expect(slot.use(numberOf)).toBe(2);
    await expect(slot.hold(async () => fail())).rejects.toThrow(RangeError);
    expect(slot.use(numberOf)).toBe(3);
  });

  it('is given up where its memory has grown by more than it may, and that is remembered', async () => {
    const slot = slotOf(2);
    slot.use(({ memory }) => memory.grow(2));
    expect(slot.use(numberOf)).toBe(1);
    expect(slot.memoryBytes()).toBe(4 * PAGE);
    slot.use(({ memory }) => memory.grow(1));
    expect(slot.memoryBytes()).toBe(0);
    expect(slot.use(numberOf)).toBe(2);
    expect(slot.peakMemoryBytes()).toBe(5 * PAGE);
    await slot.hold(async ({ memory }) => memory.grow(4));
    expect(slot.use(numberOf)).toBe(3);
    expect(slot.peakMemoryBytes()).toBe(6 * PAGE);
  });

  it('is one for each of two that meet', async () => {
    const slot = slotOf(0);
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = slot.hold(async (codec) => {
      await promise;
      return numberOf(codec);
    });
    expect(slot.use(numberOf)).toBe(2);
    resolve();
    expect(await first).toBe(1);
  });
});

describe('the real ones', () => {
  it('are kept after usual pictures: nothing of them grows', async () => {
    const decoder = newDecoder();
    const size = { width: 224, height: 224 };
    const pictures = [flatJpeg(500, 375), fixture('alpha.png'), fixture('alpha.webp')];
    // At 8/8, as rules 2 want it for this size.
    await decoder.decode(pictures[0], { ...size, rules: 2 });
    for (const bytes of pictures) await decoder.decode(bytes, size);
    const [held, peak] = [decoder.memoryBytes(), decoder.peakMemoryBytes()];
    for (const bytes of pictures) await decoder.decode(bytes, size);
    await decoder.decode(pictures[0], { ...size, rules: 2 });
    expect([decoder.memoryBytes(), decoder.peakMemoryBytes()]).toEqual([held, peak]);
    // WebP's 16 MiB, and beside them the others: JPEG's heap at the least.
    expect(held).toBeGreaterThan(256 * PAGE + JPEG_HEAP_BYTES);
    expect(peak).toBeGreaterThanOrEqual(256 * PAGE);
    expect(peak).toBeLessThan(held);
  });

  it('have the memory that limits.ts says', () => {
    expect([JPEG_HEAP_BYTES, MAX_IDLE_GROWTH_BYTES, MAX_WORKING_BYTES].map((bytes) => bytes / 1024)).toEqual([
      1_024, 6_144, 65_536,
    ]);
  });

  it('are told from modules that are something else', () => {
    const path = new URL('../../../build/wasm/resize.wasm', import.meta.url);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(readFileSync(path));
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    expect(exported(instance, 'push')).toBeTypeOf('function');
    expect(() => exported(instance, 'pull')).toThrow('pull');
    expect(() => exportedMemory(instance, 'push')).toThrow('push');
  });
});
