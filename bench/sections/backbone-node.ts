/** The backbone alone, one picture, one thread, in this process. */
import { agreementText } from '../agreement.ts';
import { backboneInNode } from '../backbone-in-node.ts';
import { allEngines, REFERENCE } from '../engines.ts';
import { type Section, timingTable } from '../section.ts';

export const backboneNode: Section = {
  name: 'backbone-node',
  title: 'Backbone alone, in Node: one picture, one thread',
  async run({ backbone, pixels, quick }) {
    const { engines, absent } = await allEngines(backbone);
    const rounds = quick ? { rounds: 10, times: 3 } : { rounds: 60, times: 5 };
    const measured = await backboneInNode(engines, pixels, rounds);
    const codes = (name: string): string => agreementText(measured.agreement.get(name)!);
    return {
      tables: [timingTable(measured.timings, REFERENCE, '', { 'codes: cosine, largest difference': codes })],
      notes: [
        'The same weights everywhere; bytes in, CNN codes out. “Input prepared”: the host has turned the bytes into the',
        'floats and the layout that ONNX runtimes like best, outside the time measured.',
        ...absent,
      ],
      data: { ...measured, absent },
    };
  },
};
