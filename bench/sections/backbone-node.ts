/** The backbone alone, one picture, one thread, in this process. */
import { agreement, agreementText, type Agreement } from '../agreement.ts';
import { candidates, REFERENCE } from '../engines.ts';
import { interleave, local } from '../measure.ts';
import { type Section, timingTable } from '../section.ts';

export const backboneInNode: Section = {
  name: 'backbone-node',
  title: 'Backbone alone, in Node: one picture, one thread',
  async run({ backbone, pixels, quick }) {
    const engines = await candidates(backbone, pixels);
    const reference = (await engines[0].run()).slice();
    const agreements = new Map<string, Agreement>();
    for (const { name, run } of engines) agreements.set(name, agreement(name, await run(), reference));
    const timings = await interleave(
      engines.map(({ name, run }) => local(name, run)),
      quick ? { rounds: 10, times: 3 } : { rounds: 60, times: 5 },
    );
    const table = timingTable(timings, REFERENCE);
    return {
      tables: [
        {
          columns: [...table.columns, 'codes: cosine, largest difference'],
          rows: table.rows.map(([name, ...cells]) => [name, ...cells, agreementText(agreements.get(name)!)]),
        },
      ],
      notes: [
        'All engines run the same weights in 32 bits; bytes in, CNN codes out. “Input prepared”: the host has already turned the bytes into the floats and the layout that ONNX runtimes like, outside the time measured.',
      ],
      data: { timings: Object.fromEntries(timings), agreement: Object.fromEntries(agreements) },
    };
  },
};
