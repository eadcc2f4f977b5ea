/** The backbone alone, one picture, in local workerd; each engine in a process of its own, taking turns. */
import { agreement, agreementText, type Agreement } from '../agreement.ts';
import { REFERENCE } from '../engines.ts';
import { type Goal, ratioGoal } from '../goals.ts';
import { interleave } from '../measure.ts';
import { megabytes, type Result, type Section, timingTable } from '../section.ts';
import { floats, subtracted } from '../worker-host.ts';
import { type Memory, memoryOf, withWorkers } from '../workers.ts';

/** File in bench/worker of each engine; the reference first. */
const ENTRANTS: Readonly<Record<string, string>> = {
  [REFERENCE]: 'tfjs',
  simd32: 'simd',
  'simd32-relaxed': 'simd-relaxed',
  simd16: 'simd16',
  'simd16-relaxed': 'simd16-relaxed',
  'onnxruntime-web': 'ort',
  'onnxruntime-web, input prepared': 'ort-prepared',
  'LiteRT.js': 'litert',
  'LiteRT.js, input prepared': 'litert-prepared',
};

export const backboneInWorkerd: Section = {
  name: 'backbone-workerd',
  title: 'Backbone alone, in local workerd: one picture, timed from outside',
  run: ({ pixels, quick }) =>
    withWorkers(ENTRANTS, async (workers): Promise<Result> => {
      const agreements = new Map<string, Agreement>();
      let reference: Float32Array | undefined;
      for (const [name, worker] of workers) {
        await worker.put('input', pixels);
        const codes = floats(await worker.work('codes', 1));
        reference ??= codes;
        agreements.set(name, agreement(name, codes, reference));
      }
      const contenders = Array.from(workers, ([name, worker]) => subtracted(name, worker, 'codes'));
      const timings = await interleave(
        contenders,
        quick ? { rounds: 8, times: 10 } : { rounds: 40, times: 20 },
      );
      const memory = new Map<string, Memory>();
      for (const [name, worker] of workers) memory.set(name, await memoryOf(worker));
      const table = timingTable(timings, REFERENCE);
      return {
        tables: [
          {
            columns: [...table.columns, 'WASM MB', 'process MB', 'codes: cosine, largest difference'],
            rows: table.rows.map(([name, ...cells]) => [
              name,
              ...cells,
              megabytes(memory.get(name)?.wasmBytes),
              megabytes(memory.get(name)?.residentBytes),
              agreementText(agreements.get(name)!),
            ]),
          },
        ],
        notes: [
          'A sample is the time of a request with n repetitions less that of one with none, by n.',
          'Process MB is the resident memory of the whole workerd process with this one Worker, warm.',
        ],
        goals: [
          ...ratioGoal('Backbone in floats, of tfjs’s time', timings, ['simd32-relaxed', REFERENCE], 0.36),
          ...ratioGoal(
            'Backbone in floats, of onnxruntime-web’s',
            timings,
            ['simd32-relaxed', 'onnxruntime-web'],
            0.33,
          ),
          ...ratioGoal('Backbone in floats, of LiteRT.js’s', timings, ['simd32-relaxed', 'LiteRT.js'], 1),
          ...ratioGoal('Backbone in 16 bits, of tfjs’s', timings, ['simd16-relaxed', REFERENCE], 0.25),
          ...cosineGoals(agreements),
        ],
        data: {
          timings: Object.fromEntries(timings),
          agreement: Object.fromEntries(agreements),
          memory: Object.fromEntries(memory),
        },
      };
    }),
};

/** One less the cosine of codes to the reference's: floats, then 16 bits. */
function cosineGoals(agreements: ReadonlyMap<string, Agreement>): Goal[] {
  const worst = (names: readonly string[]): number =>
    Math.max(...names.map((name) => 1 - agreements.get(name)!.cosine));
  return [
    { what: 'Codes in floats: 1 − cosine', atMost: 1e-5, measured: worst(['simd32', 'simd32-relaxed']) },
    { what: 'Codes in 16 bits: 1 − cosine', atMost: 1e-3, measured: worst(['simd16', 'simd16-relaxed']) },
  ];
}
