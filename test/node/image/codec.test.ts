/** How codecs are kept between pictures, on a codec that is nothing but memory. */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { type Codec, CodecPool, exported } from '../../../src/image/memory/codec-pool.ts';
import { exportedStack } from '../../../src/image/memory/library.ts';
import {
  MAX_IDLE_KERNEL_BYTES,
  MAX_IDLE_WORKING_BYTES,
  MAX_WORKING_BYTES,
} from '../../../src/image/limits.ts';

const PAGE = 65_536;

interface Bare extends Codec {
  readonly number: number;
}

function poolOf(maxIdlePages: number) {
  let made = 0;
  const create = (): Bare => ({ memory: new WebAssembly.Memory({ initial: 2 }), number: ++made });
  return new CodecPool(create, maxIdlePages * PAGE);
}

const numberOf = ({ number }: Bare): number => number;
const grow = ({ memory, number }: Bare): number => {
  memory.grow(8);
  return number;
};
const fail = (): never => {
  throw new RangeError('damaged');
};

/** Holds so many at once. @returns their numbers. */
function wave(pool: ReturnType<typeof poolOf>, count: number): Promise<number[]> {
  return Promise.all(
    Array.from({ length: count }, () =>
      pool.hold(async (codec) => {
        await setImmediate();
        return numberOf(codec);
      }),
    ),
  );
}

async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  await setImmediate();
  runInNewContext('gc()');
}

describe('a codec between two pictures', () => {
  it('is kept, also where a picture fails', async () => {
    const pool = poolOf(2);
    expect(pool.use(numberOf)).toBe(1);
    expect(() => pool.use(fail)).toThrow(RangeError);
    await expect(pool.hold(async () => fail())).rejects.toThrow(RangeError);
    expect(pool.use(numberOf)).toBe(1);
    expect(pool.memoryBytes()).toBe(2 * PAGE);
  });

  it('is used again where its memory has grown beyond the bound', () => {
    const pool = poolOf(9);
    expect(pool.use(grow)).toBe(1);
    expect(pool.memoryBytes()).toBe(0);
    expect(pool.use(grow)).toBe(1);
    expect(pool.peakMemoryBytes()).toBe(18 * PAGE);
  });

  it('is then what the garbage collector may take', async () => {
    const [bounded, kept] = [poolOf(9), poolOf(10)];
    for (const pool of [bounded, kept]) pool.use(grow);
    await collectGarbage();
    expect(bounded.use(numberOf)).toBe(2);
    expect(kept.use(numberOf)).toBe(1);
    expect(kept.memoryBytes()).toBe(10 * PAGE);
  });

  it('is one for each that is at work at once, and no more however often', async () => {
    const pool = poolOf(4);
    for (let round = 0; round < 3; round++)
      expect((await wave(pool, 5)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
    expect(pool.memoryBytes()).toBe(4 * PAGE);
  });
});

describe('the real ones', () => {
  it('have the memory that limits.ts says', () => {
    expect(
      [MAX_IDLE_KERNEL_BYTES, MAX_IDLE_WORKING_BYTES, MAX_WORKING_BYTES].map((bytes) => bytes / 1024),
    ).toEqual([1_024, 4_096, 65_536]);
  });

  it('are told from modules that are something else', () => {
    const path = new URL('../../../build/wasm/resize.wasm', import.meta.url);
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(readFileSync(path));
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    expect(exported(instance, 'push')).toBeTypeOf('function');
    expect(() => exported(instance, 'pull')).toThrow('pull');
    expect(() => exportedStack(instance)).toThrow('not one of build/wasm');
  });
});
