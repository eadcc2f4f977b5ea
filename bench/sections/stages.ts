/** The small stages around the backbone, in Node: resizing a decoded picture, scoring a code with heads of many sizes. */
import { type Head, readHead, score } from '../../src/head/index.ts';
import { createResizer, type Resizer } from '../../src/image/pixels/resize.ts';
import type { Size } from '../../src/image/index.ts';
import type { Backbone } from '../../src/backbone/index.ts';
import { demoHead } from '../demo-head.ts';
import { type Contender, interleave, local } from '../measure.ts';
import { built } from '../peers/load.ts';
import { type Section, spreadText } from '../section.ts';

/** Sides of rasters as decoders give them for the two pictures, scaled and not. */
const RASTERS = [
  { width: 500, height: 375 },
  { width: 313, height: 235 },
  { width: 4000, height: 3000 },
];
const CLASSES = [3, 100, 1000, 10_000];

export const stages: Section = {
  name: 'stages',
  title: 'Resize and head, in Node',
  async run({ backbone, input, pixels, quick }) {
    const code = new Float32Array(backbone.codeLength).map((_, i) => pixels[i] / 255);
    const demo = readHead(await demoHead({ backbone, input }));
    const resizer = createResizer(built('resize'));
    const contenders = [
      ...RASTERS.map((size) => resizing(resizer, size, backbone)),
      ...CLASSES.map((classes): Contender => {
        const head = widened(demo, classes);
        return local(`score ${classes} classes`, () => score(head, code));
      }),
    ];
    const timings = await interleave(contenders, quick ? { rounds: 5, times: 3 } : { rounds: 30, times: 5 });
    return {
      tables: [
        {
          columns: ['', 'ms (p10–p90)', 'CPU ms (p10–p90)'],
          rows: Array.from(timings, ([name, { wall, cpu }]) => [name, spreadText(wall), spreadText(cpu)]),
        },
      ],
      notes: [
        `Heads hold ${demo.novelty.directions.length / demo.codeLength} directions for novelty, whatever their classes.`,
      ],
      data: { timings },
    };
  },
};

function resizing(resizer: Resizer, { width, height }: Size, backbone: Backbone): Contender {
  const { input } = backbone.plan;
  const data = new Uint8Array(3 * width * height).map((_, i) => (i * 31) % 256);
  return local(`resize ${width}×${height}`, () =>
    resizer.resize({ data, width, height, layout: 'rgb' }, 1, [input]),
  );
}

/** The same head with its rows repeated until it has so many classes. */
function widened(head: Head, classes: number): Head {
  const { codeLength, weights, bias, labels } = head;
  const rows = new Float32Array(classes * codeLength);
  for (let c = 0; c < classes; c++) {
    const from = (c % labels.length) * codeLength;
    rows.set(weights.subarray(from, from + codeLength), c * codeLength);
  }
  return {
    ...head,
    labels: Array.from({ length: classes }, (_, c) => String(c)),
    weights: rows,
    bias: Float32Array.from({ length: classes }, (_, c) => bias[c % labels.length]),
  };
}
