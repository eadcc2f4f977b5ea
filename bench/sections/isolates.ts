/** Memory of an isolate that classifies photos: after it has warmed up, and whether it grows over thousands of requests. */
import { demoHead } from '../demo-head.ts';
import { REFERENCE } from '../engines.ts';
import { summarise } from '../measure.ts';
import { lite0 } from '../networks.ts';
import { megabytes, type Result, type Section, skipped } from '../section.ts';
import type { BenchWorker } from '../worker-host.ts';
import { memoryOf, onMobileNet, withWorkers } from '../workers.ts';

const OURS = 'simd32-relaxed';
const LITE0 = 'EfficientNet-Lite0, 160 px, simd8-relaxed';
const WORKERS = {
  ...onMobileNet({ [REFERENCE]: 'pipeline-tfjs', [OURS]: 'pipeline-simd' }),
  [LITE0]: { worker: 'pipeline-simd8', network: 'lite0-160' },
};

const REQUESTS = { warm: 1000, all: 10_000 };
const QUICK_REQUESTS = { warm: 500, all: 1000 };
/** The garbage collector comes and goes: memory before and after is the median of so many looks. */
const LOOKS = 9;
const REQUESTS_BETWEEN_LOOKS = 50;

export const isolates: Section = {
  name: 'isolates',
  title: 'Memory of an isolate over thousands of requests, in local workerd',
  run: async ({ backbone, input, pictures, quick, log }) => {
    const heads = { other: await demoHead({ backbone, input }), [LITE0]: await demoHead(lite0(160)) };
    const [{ bytes: picture }] = pictures;
    const counts = quick ? QUICK_REQUESTS : REQUESTS;
    const measure = async (workers: ReadonlyMap<string, BenchWorker>): Promise<Result> => {
      const held = new Map<string, Held>();
      for (const [name, worker] of workers) {
        await worker.put('head', name === LITE0 ? heads[name] : heads.other);
        const warm = await heldAfter(worker, picture, counts.warm);
        if (warm === undefined) return skipped('this system does not tell the memory of other processes.');
        const end = name === OURS ? await heldAfter(worker, picture, counts.all - counts.warm) : undefined;
        held.set(name, { warm, end });
        log(`  ${name}`);
      }
      return resultOf(held, counts);
    };
    return await withWorkers(WORKERS, measure, { collects: true, inspected: true });
  },
};

interface Held {
  readonly warm: Memory;
  /** After all requests, where so many were made. */
  readonly end: Memory | undefined;
}

/** Bytes. */
interface Memory {
  /** Of the whole process. */
  readonly resident: number;
  readonly wasm: number;
  /** Of the isolate: objects, ArrayBuffers and WebAssembly memories. */
  readonly isolate: number;
}

function resultOf(held: ReadonlyMap<string, Held>, counts: typeof REQUESTS): Result {
  const { warm, end } = held.get(OURS)!;
  return {
    tables: [
      {
        columns: [
          '',
          `process MB after ${counts.warm}`,
          'isolate MB',
          'of it WebAssembly MB',
          `process MB after ${counts.all}`,
          'isolate MB',
        ],
        rows: Array.from(held, ([name, of]) => [
          name,
          megabytes(of.warm.resident),
          megabytes(of.warm.isolate),
          megabytes(of.warm.wasm),
          megabytes(of.end?.resident),
          megabytes(of.end?.isolate),
        ]),
      },
    ],
    notes: [
      'Process: resident memory of workerd, which grows a little with a Worker that does nothing as well. Isolate: what V8',
      'holds after a full collection, and WebAssembly memories. Each request brings a photo and is answered with probabilities.',
    ],
    // Less in thousands of requests is code that V8 has optimised meanwhile.
    goals: [
      {
        what: `Growth of an isolate over ${counts.all} requests`,
        atMost: 1,
        measured: ((end?.isolate ?? Number.NaN) - warm.isolate) / 1e6,
        unit: 'MB',
      },
      {
        what: 'Isolate with Lite0 at 160 px on 8 bits: more than with the MobileNet',
        atMost: 20,
        measured: (held.get(LITE0)!.warm.isolate - warm.isolate) / 1e6,
        unit: 'MB',
      },
    ],
    data: { held, requests: counts },
  };
}

/** Sends so many requests, looking at the process's memory during the last of them. */
async function heldAfter(
  worker: BenchWorker,
  picture: Uint8Array,
  requests: number,
): Promise<Memory | undefined> {
  const repeat = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await worker.work('headwater', 1, picture);
  };
  await repeat(requests - LOOKS * REQUESTS_BETWEEN_LOOKS);
  const seen: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    await repeat(REQUESTS_BETWEEN_LOOKS);
    const bytes = worker.residentBytes();
    if (bytes === undefined) return undefined;
    seen.push(bytes);
  }
  const { wasmBytes } = await memoryOf(worker);
  const isolate = (await worker.heldMb()) * 1e6 + wasmBytes;
  return { resident: summarise(seen).median, wasm: wasmBytes, isolate };
}
