/** What a training is said to take, against what is really live while it runs. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { readHead, writeHead } from '../../../src/head/index.ts';
import { teachFurther } from '../../../src/learn/teach-further.ts';
import { trainWithFigures, type TrainingSet } from '../../../src/learn/train.ts';
import { trainingBytes } from '../../../src/learn/training-memory.ts';
import { linalg } from './linalg.ts';
import { randomSet } from './random.ts';

setFlagsFromString('--expose-gc');
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const collect = runInNewContext('gc') as () => void;

/** Calls of a pause between two looks, each of which collects garbage. */
const PAUSES_A_LOOK = 16;

/** The most bytes of live ArrayBuffers and WebAssembly memories while a task runs. */
async function mostLive(task: (pause: () => Promise<void>) => Promise<Uint8Array>): Promise<number> {
  const Memory = WebAssembly.Memory;
  let wasm = 0;
  class Counted extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      wasm += descriptor.initial * 65_536;
    }
  }
  WebAssembly.Memory = Counted;
  try {
    collect();
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let pauses = 0;
    const look = (): void => {
      collect();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before + wasm);
    };
    const file = await task(() => {
      if (pauses++ % PAUSES_A_LOOK === 0) look();
      return Promise.resolve();
    });
    look();
    return file.byteLength > 0 ? most : 0;
  } finally {
    WebAssembly.Memory = Memory;
  }
}

const CODE_LENGTH = 480;
const CLASSES = 20;
const counts = (examples: number): number[] => Array.from({ length: CLASSES }, () => examples / CLASSES);

async function baseFile(method: string): Promise<Uint8Array> {
  const { head } = await trainWithFigures(randomSet(1, counts(100), CODE_LENGTH), { linalg });
  return writeHead({
    ...head,
    training: { ...head.training, method, lambda: method === 'imported' ? 0 : 1 },
  });
}

const CASES: [string, number, string | undefined][] = [
  ['trained, fewer examples than numbers', 400, undefined],
  ['trained, more examples than numbers', 800, undefined],
  ['trained on few examples of many classes', 100, undefined],
  ['continued', 400, 'ridge-dual'],
  ['extended and judged', 160, 'imported'],
  ['extended', 520, 'imported'],
];

describe('the memory of a training', () => {
  it.each(CASES)('%s', async (_, examples, method) => {
    const base = method === undefined ? undefined : await baseFile(method);
    const live = await mostLive(async (pause) => {
      // Made here, so that it counts.
      const set: TrainingSet = randomSet(2, counts(examples), CODE_LENGTH);
      const trained =
        base === undefined
          ? await trainWithFigures(set, { linalg, pause })
          : await teachFurther(readHead(base), set, { linalg, pause });
      return writeHead(trained.head);
    });
    const size = { examples, codeLength: CODE_LENGTH, classes: CLASSES };
    const stated = trainingBytes(
      base === undefined
        ? size
        : { ...size, base: { bytes: base.byteLength, isContinuable: method !== 'imported' } },
    );
    const counted = live + (base?.byteLength ?? 0);
    expect(stated).toBeGreaterThan(counted);
    // A megabyte of it does not grow.
    expect(stated).toBeLessThan(1.4 * counted + 1e6);
  });
});
