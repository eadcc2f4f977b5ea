/** The same race in local workerd. */
import { backboneInWorkers, IN_WORKERS_NOTES } from '../backbone-in-workers.ts';
import { eightBitGoals, pathInWords, PLAIN, RACED, RELAXED } from '../eight-bit-goals.ts';
import { REFERENCE } from '../engines.ts';
import type { Goal, Section, Table } from '../section.ts';
import { avxVnni } from '../machine.ts';
import { lite0 } from '../networks.ts';
import { carriedPhotos, decoded } from '../photo-sets.ts';

/** File in bench/worker of each engine; the reference first. */
const ENTRANTS: Readonly<Record<string, string>> = {
  [REFERENCE]: 'tfjs',
  'simd32-relaxed': 'simd-relaxed',
  [PLAIN]: 'simd8',
  [RELAXED]: 'simd8-relaxed',
  'onnxruntime-web, 8 bits': 'ort8',
  'LiteRT.js, 8 bits': 'litert8',
};

export const eightBitsInWorkerd: Section = {
  name: 'eight-bits-workerd',
  title: 'EfficientNet-Lite0 alone, in local workerd, and 8-bit models of it',
  async run({ quick }) {
    const tables: Table[] = [];
    const goals: Goal[] = [];
    const data: Record<string, unknown> = {};
    for (const [side, atMost] of RACED) {
      const network = `lite0-${side}` as const;
      const entries = Object.entries(ENTRANTS).map(([name, worker]) => [name, { worker, network }] as const);
      const [{ pixels }] = await decoded(carriedPhotos(), lite0(side).input);
      const rounds = quick ? { rounds: 4, times: 4 } : { rounds: 25, times: 6 };
      const { measured, table } = await backboneInWorkers(
        Object.fromEntries(entries),
        pixels,
        rounds,
        `${side} px`,
      );
      tables.push(table);
      goals.push(...eightBitGoals('workerd', side, atMost, measured.timings, avxVnni()));
      data[side] = measured;
    }
    return { tables, notes: [pathInWords(avxVnni()), ...IN_WORKERS_NOTES], goals, data };
  },
};
