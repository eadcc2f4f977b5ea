/** The backbone alone, one picture, one thread, in this process. */
import { agreement, agreementText, type Agreement } from '../agreement.ts';
import { allEngines, REFERENCE } from '../engines.ts';
import { interleave, local } from '../measure.ts';
import { type Section, timingTable } from '../section.ts';

export const backboneInNode: Section = {
  name: 'backbone-node',
  title: 'Backbone alone, in Node: one picture, one thread',
  async run({ backbone, pixels, quick }) {
    const { engines, absent } = await allEngines(backbone);
    const runs = engines.map(({ name, run }) => ({ name, run: run(pixels) }));
    const reference = (await runs[0].run()).slice();
    const agreements = new Map<string, Agreement>();
    for (const { name, run } of runs) agreements.set(name, agreement(name, await run(), reference));
    const timings = await interleave(
      runs.map(({ name, run }) => local(name, run)),
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
        'The same weights everywhere; bytes in, CNN codes out. “Input prepared”: the host has turned the bytes into the',
        'floats and the layout that ONNX runtimes like best, outside the time measured.',
        ...absent,
      ],
      data: { timings: Object.fromEntries(timings), agreement: Object.fromEntries(agreements), absent },
    };
  },
};
