/** EfficientNet-Lite0 in Node: ours on 8 bits against tfjs, and against ONNX Runtime and LiteRT.js with 8-bit models of theirs. */
import { backboneInNode } from '../backbone-in-node.ts';
import { closenessOf, closenessText } from '../closeness.ts';
import { eightBitGoals, pathInWords, RACED } from '../eight-bit-goals.ts';
import { allEngines, REFERENCE } from '../engines.ts';
import { type Section, type Table, timingTable, type Goal } from '../section.ts';
import { avxVnni } from '../machine.ts';
import { lite0 } from '../networks.ts';
import { carriedPhotos, decoded } from '../photo-sets.ts';

export const eightBits: Section = {
  name: 'eight-bits',
  title: 'EfficientNet-Lite0 alone, in Node, and 8-bit models of it',
  async run({ quick }) {
    const tables: Table[] = [];
    const goals: Goal[] = [];
    const data: Record<string, unknown> = {};
    const reasons = new Set<string>();
    for (const [side, atMost] of RACED) {
      const { backbone, input } = lite0(side);
      const { engines: all, absent } = await allEngines(backbone);
      const engines = all.filter(({ name }) => !name.endsWith('input prepared'));
      const photos = await decoded(carriedPhotos(), input);
      const rounds = quick ? { rounds: 5, times: 2 } : { rounds: 30, times: 3 };
      const { timings } = await backboneInNode(engines, photos[0].pixels, rounds);
      const closeness = await closenessOf(engines, backbone, photos);
      const cosines = (name: string): string => closenessText(closeness.get(name)!);
      tables.push(timingTable(timings, REFERENCE, `${side} px`, { 'last tap: cosines': cosines }));
      goals.push(...eightBitGoals('Node', side, atMost, timings, avxVnni()));
      data[side] = { timings, closeness };
      for (const reason of absent) reasons.add(reason);
    }
    const notes = [
      pathInWords(avxVnni()),
      'The peers’ 8-bit models are made from the same weights and ranges: every step in 8 bits (activations 0 to 255, weights by channel),',
      'statistics of the maps in floats. Ours has 7 bits of activations, and 16 in the first layers.',
      'Cosines: of the last tap to the reference’s, mean and least over a photo of each class that the project carries.',
      ...reasons,
    ];
    return { tables, notes, goals, data };
  },
};
