/** The backbone alone, one picture, in local workerd; each engine in a process of its own, taking turns. */
import type { Agreement } from '../agreement.ts';
import { backboneInWorkers, IN_WORKERS_NOTES } from '../backbone-in-workers.ts';
import { REFERENCE } from '../engines.ts';
import { ratioGoal } from '../goals.ts';
import { type Goal, type Section } from '../section.ts';
import { onMobileNet } from '../workers.ts';

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
  async run({ pixels, quick }) {
    const rounds = quick ? { rounds: 8, times: 10 } : { rounds: 40, times: 20 };
    const { measured, table } = await backboneInWorkers(onMobileNet(ENTRANTS), pixels, rounds);
    const against = (what: string, ...[name, baseline, atMost]: [string, string, number]): Goal[] =>
      ratioGoal(what, measured.timings, [name, baseline], atMost);
    return {
      tables: [table],
      notes: IN_WORKERS_NOTES,
      goals: [
        ...against('Backbone in floats, of tfjs’s time', 'simd32-relaxed', REFERENCE, 0.36),
        ...against('Backbone in floats, of onnxruntime-web’s', 'simd32-relaxed', 'onnxruntime-web', 0.33),
        ...against('Backbone in floats, of LiteRT.js’s', 'simd32-relaxed', 'LiteRT.js', 1),
        ...against('Backbone in 16 bits, of tfjs’s', 'simd16-relaxed', REFERENCE, 0.25),
        ...cosineGoals(measured.agreement),
      ],
      data: { ...measured },
    };
  },
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
