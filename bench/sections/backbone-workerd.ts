/** The backbone alone, one picture, in local workerd; each engine in a process of its own, taking turns. */
import { agreement, agreementText, type Agreement } from '../agreement.ts';
import { REFERENCE } from '../engines.ts';
import { interleave, type Contender } from '../measure.ts';
import { megabytes, type Section, timingTable } from '../section.ts';
import { floats, startBenchWorker, subtracted, type BenchWorker } from '../worker-host.ts';

interface Entrant {
  readonly name: string;
  readonly entry: string;
  readonly work: string;
}

/** The reference first. */
const ENTRANTS: readonly Entrant[] = [
  { name: REFERENCE, entry: 'tfjs', work: 'codes' },
  { name: 'simd', entry: 'simd', work: 'codes' },
  { name: 'simd-relaxed', entry: 'simd-relaxed', work: 'codes' },
  { name: 'onnxruntime-web', entry: 'ort', work: 'codes' },
  { name: 'onnxruntime-web, input prepared', entry: 'ort-prepared', work: 'codes' },
];

export const backboneInWorkerd: Section = {
  name: 'backbone-workerd',
  title: 'Backbone alone, in local workerd: one picture, timed from outside',
  async run({ pixels, quick, log }) {
    const workers = new Map<Entrant, BenchWorker>();
    try {
      const agreements = new Map<string, Agreement>();
      let reference: Float32Array | undefined;
      for (const entrant of ENTRANTS) {
        log(`  ${entrant.name} …`);
        const worker = await startBenchWorker(entrant.entry);
        workers.set(entrant, worker);
        await worker.put('input', pixels);
        const codes = floats(await worker.work(entrant.work, 1));
        reference ??= codes;
        agreements.set(entrant.name, agreement(entrant.name, codes, reference));
      }
      const contenders = Array.from(workers, ([{ name, work }, worker]): Contender =>
        subtracted(name, worker, work),
      );
      const timings = await interleave(
        contenders,
        quick ? { rounds: 8, times: 10 } : { rounds: 40, times: 20 },
      );
      const memory = new Map<string, { wasmBytes: number; residentBytes: number | undefined }>();
      for (const [{ name }, worker] of workers) {
        memory.set(name, {
          wasmBytes: await worker.wasmMemoryBytes(),
          residentBytes: worker.residentBytes(),
        });
      }
      const table = timingTable(timings, REFERENCE);
      return {
        tables: [
          {
            columns: [...table.columns, 'WASM MB', 'process MB', 'codes: cosine, largest difference'],
            rows: table.rows.map(([name, ...cells]) => [
              name,
              ...cells,
              megabytes(memory.get(name)!.wasmBytes),
              megabytes(memory.get(name)!.residentBytes),
              agreementText(agreements.get(name)!),
            ]),
          },
        ],
        notes: [
          'A sample is the time of a request with n repetitions less that of one with none, by n.',
          'Process MB is the resident memory of the whole workerd process with this one Worker, warm.',
        ],
        data: {
          timings: Object.fromEntries(timings),
          agreement: Object.fromEntries(agreements),
          memory: Object.fromEntries(memory),
        },
      };
    } finally {
      for (const worker of workers.values()) await worker.close();
    }
  },
};
