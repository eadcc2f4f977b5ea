/** Memory of an isolate that classifies photos: after it has warmed up, and whether it grows over thousands of requests. */
import { demoHead } from '../demo-head.ts';
import { REFERENCE } from '../engines.ts';
import type { Goal } from '../goals.ts';
import { summarise } from '../measure.ts';
import { megabytes, type Result, type Section, skipped } from '../section.ts';
import type { BenchWorker } from '../worker-host.ts';
import { memoryOf, withWorkers } from '../workers.ts';

const OURS = 'simd32-relaxed';
const EMPTY = 'nothing at all';
const WORKERS = { [EMPTY]: 'empty', [REFERENCE]: 'pipeline-tfjs', [OURS]: 'pipeline-simd' };

const REQUESTS = { warm: 1000, all: 10_000 };
const QUICK_REQUESTS = { warm: 500, all: 1000 };
/** The garbage collector comes and goes: memory before and after is the median of so many looks. */
const LOOKS = 9;
const REQUESTS_BETWEEN_LOOKS = 50;
const LOOKED_AT = LOOKS * REQUESTS_BETWEEN_LOOKS;

export const isolates: Section = {
  name: 'isolates',
  title: 'Memory of an isolate over thousands of requests, in local workerd',
  run: async ({ backbone, pictures, quick, log }) => {
    const head = await demoHead(backbone);
    const [{ bytes: picture }] = pictures;
    const counts = quick ? QUICK_REQUESTS : REQUESTS;
    return await withWorkers(WORKERS, async (workers): Promise<Result> => {
      const warm = new Map<string, { resident: number; wasm: number }>();
      for (const [name, worker] of workers) {
        await worker.put('head', head);
        const work = name === EMPTY ? 'codes' : 'headwater';
        await repeat(worker, work, picture, counts.warm - LOOKED_AT);
        const resident = await look(worker, work, picture);
        if (resident === undefined)
          return skipped('this system does not tell the memory of other processes.');
        warm.set(name, { resident, wasm: (await memoryOf(worker)).wasmBytes });
        log(`  ${name}: warm`);
      }
      const ours = workers.get(OURS)!;
      await repeat(ours, 'headwater', picture, counts.all - counts.warm - LOOKED_AT);
      const end = (await look(ours, 'headwater', picture)) ?? Number.NaN;
      const above = (name: string): number => warm.get(name)!.resident - warm.get(EMPTY)!.resident;
      const growth = end - warm.get(OURS)!.resident;
      return {
        tables: [
          {
            columns: ['', 'process MB', 'above an empty Worker’s', 'of it WebAssembly MB'],
            rows: Array.from(warm, ([name, { resident, wasm }]) => [
              name,
              megabytes(resident),
              megabytes(above(name)),
              megabytes(wasm),
            ]),
          },
        ],
        notes: [
          `Resident memory of the workerd process after ${counts.warm} requests with a photo.`,
          `${OURS}: ${megabytes(end)} MB after ${counts.all}, so ${megabytes(growth)} MB more.`,
        ],
        goals: memoryGoals(above(OURS) / above(REFERENCE), growth, counts.all),
        data: { warm: Object.fromEntries(warm), after: end, requests: counts },
      };
    });
  },
};

/** Less than a megabyte in thousands of requests is the allocator's and the collector's coming and going. */
function memoryGoals(share: number, growth: number, requests: number): Goal[] {
  return [
    { what: 'Memory of an isolate, of the same with tfjs', atMost: 0.7, measured: share },
    { what: `Its growth over ${requests} requests`, atMost: 1, measured: growth / 1e6, unit: 'MB' },
  ];
}

async function repeat(worker: BenchWorker, work: string, picture: Uint8Array, times: number): Promise<void> {
  for (let i = 0; i < times; i++) await worker.work(work, 1, picture);
}

async function look(worker: BenchWorker, work: string, picture: Uint8Array): Promise<number | undefined> {
  const seen: number[] = [];
  for (let i = 0; i < LOOKS; i++) {
    await repeat(worker, work, picture, REQUESTS_BETWEEN_LOOKS);
    const bytes = worker.residentBytes();
    if (bytes === undefined) return undefined;
    seen.push(bytes);
  }
  return summarise(seen).median;
}
