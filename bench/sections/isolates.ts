/** Memory of an isolate that classifies photos: after it has warmed up, and whether it grows over thousands of requests. */
import { demoHead } from '../demo-head.ts';
import { REFERENCE } from '../engines.ts';
import { summarise } from '../measure.ts';
import { megabytes, type Result, type Section, skipped } from '../section.ts';
import type { BenchWorker } from '../worker-host.ts';
import { memoryOf, withWorkers } from '../workers.ts';

const OURS = 'simd32-relaxed';
const WORKERS = { [REFERENCE]: 'pipeline-tfjs', [OURS]: 'pipeline-simd' };

const REQUESTS = { warm: 1000, all: 10_000 };
const QUICK_REQUESTS = { warm: 500, all: 1000 };
/** The garbage collector comes and goes: memory before and after is the median of so many looks. */
const LOOKS = 9;
const REQUESTS_BETWEEN_LOOKS = 50;

export const isolates: Section = {
  name: 'isolates',
  title: 'Memory of an isolate over thousands of requests, in local workerd',
  run: async ({ backbone, pictures, quick, log }) => {
    const head = await demoHead(backbone);
    const [{ bytes: picture }] = pictures;
    const counts = quick ? QUICK_REQUESTS : REQUESTS;
    const measure = async (workers: ReadonlyMap<string, BenchWorker>): Promise<Result> => {
      const held = new Map<string, Held>();
      for (const [name, worker] of workers) {
        await worker.put('head', head);
        const warm = await residentAfter(worker, picture, counts.warm);
        if (warm === undefined) return skipped('this system does not tell the memory of other processes.');
        const { wasmBytes } = await memoryOf(worker);
        const end =
          name === REFERENCE ? undefined : await residentAfter(worker, picture, counts.all - counts.warm);
        held.set(name, { warm, end, wasm: wasmBytes });
        log(`  ${name}`);
      }
      return resultOf(held, counts);
    };
    return await withWorkers(WORKERS, measure, { collects: true });
  },
};

/** Bytes. */
interface Held {
  readonly warm: number;
  /** After all requests, where so many were made. */
  readonly end: number | undefined;
  readonly wasm: number;
}

function resultOf(held: ReadonlyMap<string, Held>, counts: typeof REQUESTS): Result {
  const { warm, end } = held.get(OURS)!;
  return {
    tables: [
      {
        columns: [
          '',
          `process MB after ${counts.warm}`,
          'of it WebAssembly MB',
          `process MB after ${counts.all}`,
        ],
        rows: Array.from(held, ([name, of]) => [
          name,
          megabytes(of.warm),
          megabytes(of.wasm),
          megabytes(of.end),
        ]),
      },
    ],
    notes: [
      'Resident memory of the workerd process. Each request brings a photo and is answered with probabilities. Garbage is',
      'collected in full each time: what workerd itself keeps for each request until then would hide the rest.',
    ],
    // Less in thousands of requests is the allocator's and the collector's coming and going.
    goals: [
      {
        what: `Growth of an isolate over ${counts.all} requests`,
        atMost: 1,
        measured: ((end ?? Number.NaN) - warm) / 1e6,
        unit: 'MB',
      },
    ],
    data: { held: Object.fromEntries(held), requests: counts },
  };
}

/** Sends so many requests, looking at the process's memory during the last of them. */
async function residentAfter(
  worker: BenchWorker,
  picture: Uint8Array,
  requests: number,
): Promise<number | undefined> {
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
  return summarise(seen).median;
}
