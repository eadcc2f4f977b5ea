/** A backbone alone on engines in Workers, in one run. */
import { agreement, agreementText, type Agreement } from './agreement.ts';
import { interleave, type Rounds, type Timing } from './measure.ts';
import { megabytes, type Table, timingTable } from './section.ts';
import type { Entry } from './worker-bundle.ts';
import { floats, subtracted } from './worker-host.ts';
import { type Memory, memoriesOf, withWorkers } from './workers.ts';

interface InWorkers {
  readonly timings: ReadonlyMap<string, Timing>;
  readonly agreements: ReadonlyMap<string, Agreement>;
  readonly memory: ReadonlyMap<string, Memory>;
  readonly table: Table;
}

/**
 * Each engine in a process of its own, taking turns.
 * @param entries Workers by engine, whose `codes` are of the reference where they come first.
 * @throws Error when an engine's codes are not those of the reference.
 */
export async function backboneInWorkers(
  entries: Readonly<Record<string, Entry>>,
  pixels: Uint8Array,
  rounds: Rounds,
): Promise<InWorkers> {
  return await withWorkers(entries, async (workers) => {
    const agreements = new Map<string, Agreement>();
    let reference: Float32Array | undefined;
    for (const [name, worker] of workers) {
      await worker.put('input', pixels);
      const codes = floats(await worker.work('codes', 1));
      reference ??= codes;
      agreements.set(name, agreement(name, codes, reference));
    }
    const contenders = Array.from(workers, ([name, worker]) => subtracted(name, worker, 'codes'));
    const timings = await interleave(contenders, rounds);
    const memory = await memoriesOf(workers);
    const [baseline] = workers.keys();
    const times = timingTable(timings, baseline);
    const table = {
      columns: [...times.columns, 'WASM MB', 'process MB', 'codes: cosine, largest difference'],
      rows: times.rows.map(([name, ...cells]) => [
        name,
        ...cells,
        megabytes(memory.get(name)?.wasmBytes),
        megabytes(memory.get(name)?.residentBytes),
        agreementText(agreements.get(name)!),
      ]),
    };
    return { timings, agreements, memory, table };
  });
}

/** What a reader of the table must know. */
export const IN_WORKERS_NOTES = [
  'A sample is the time of a request with n repetitions less that of one with none, by n.',
  'Process MB is the resident memory of the whole workerd process with this one Worker, warm.',
];
