/** Several Workers for a while, each in a process of its own, ended whatever happens. */
import type { Entry } from './worker-bundle.ts';
import { type BenchWorker, type BenchWorkerOptions, startBenchWorker } from './worker-host.ts';

const MOBILENET = 'mobilenet-v3-small';

/** Workers of bench/worker by name, each with the MobileNet in it. */
export function onMobileNet(workers: Readonly<Record<string, string>>): Record<string, Entry> {
  return Object.fromEntries(
    Object.entries(workers).map(([name, worker]) => [name, { worker, network: MOBILENET }]),
  );
}

/** Starts one Worker for each name. */
export async function withWorkers<T>(
  entries: Readonly<Record<string, Entry>>,
  use: (workers: ReadonlyMap<string, BenchWorker>) => Promise<T>,
  options: BenchWorkerOptions = {},
): Promise<T> {
  const workers = new Map<string, BenchWorker>();
  try {
    for (const [name, entry] of Object.entries(entries))
      workers.set(name, await startBenchWorker(entry, options));
    return await use(workers);
  } finally {
    for (const worker of workers.values()) await worker.close();
  }
}

export interface Memory {
  readonly wasmBytes: number;
  /** Of the whole workerd process. */
  readonly residentBytes: number | undefined;
}

export async function memoriesOf(workers: ReadonlyMap<string, BenchWorker>): Promise<Map<string, Memory>> {
  const memories = new Map<string, Memory>();
  for (const [name, worker] of workers) memories.set(name, await memoryOf(worker));
  return memories;
}

export async function memoryOf(worker: BenchWorker): Promise<Memory> {
  return { wasmBytes: await worker.wasmMemoryBytes(), residentBytes: worker.residentBytes() };
}
