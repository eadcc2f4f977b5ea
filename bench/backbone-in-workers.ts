/** A backbone alone on engines in Workers, in one run. */
import { agreement, agreementText, type Agreement } from './agreement.ts';
import { interleave, type Rounds, type Timing } from './measure.ts';
import { megabytes, type Table, timingTable } from './section.ts';
import type { Entry } from './worker-bundle.ts';
import { floats, subtracted } from './worker-host.ts';
import { type Memory, memoriesOf, withWorkers } from './workers.ts';

interface InWorkers {
  readonly timings: ReadonlyMap<string, Timing>;
  readonly agreement: ReadonlyMap<string, Agreement>;
  readonly memory: ReadonlyMap<string, Memory>;
}

/**
 * Each engine in a process of its own, taking turns.
 * @param entries Workers by engine, whose `codes` are of the reference where they come first.
 * @returns what was measured, and its table.
 * @throws Error when an engine's codes are not those of the reference.
 */
export async function backboneInWorkers(
  entries: Readonly<Record<string, Entry>>,
  pixels: Uint8Array,
  rounds: Rounds,
  title?: string,
): Promise<{ readonly measured: InWorkers; readonly table: Table }> {
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
    const table = timingTable(timings, baseline, title, {
      'WASM MB': (name) => megabytes(memory.get(name)?.wasmBytes),
      'process MB': (name) => megabytes(memory.get(name)?.residentBytes),
      'codes: cosine, largest difference': (name) => agreementText(agreements.get(name)!),
    });
    return { measured: { timings, agreement: agreements, memory }, table };
  });
}

/** What a reader of the table must know. */
export const IN_WORKERS_NOTES = [
  'A sample is the time of a request with n repetitions less that of one with none, by n.',
  'Process MB is the resident memory of the whole workerd process with this one Worker, warm.',
];
