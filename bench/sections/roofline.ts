/**
 * Where the time goes, block by block, and how near the machine's limit each block runs. A block's time is that of the
 * network up to its end less that of the network up to its beginning, so that it can be had of any engine.
 */
import type { Backbone } from '../../src/backbone/index.ts';
import { type Ceiling, measureCeiling } from '../ceiling.ts';
import { type Candidate, ownEngines } from '../engines.ts';
import { type Contender, interleave, local } from '../measure.ts';
import { milliseconds, type Section, type Table } from '../section.ts';
import { type StepWork, workOf } from '../work.ts';

interface Block extends StepWork {
  /** Index of the first step after it. */
  readonly end: number;
}

export const roofline: Section = {
  name: 'roofline',
  title: 'Roofline: work of each block of the network, and how fast our engines do it',
  async run({ backbone, pixels, quick }) {
    const ceiling = await measureCeiling(quick ? 10 : 40);
    const blocks = blocksOf(backbone);
    const contenders: Contender[] = [];
    const names: string[] = [];
    for (const block of blocks) {
      const { engines } = await ownEngines(upTo(backbone, block.end));
      for (const engine of engines) contenders.push(prefixContender(block, engine, pixels));
      names.splice(0, names.length, ...engines.map(({ name }) => name));
    }
    const timings = await interleave(contenders, quick ? { rounds: 8, times: 3 } : { rounds: 25, times: 4 });
    const time = (block: Block, engine: string): number => {
      const { cpu, wall } = timings.get(key(block, engine))!;
      return (cpu ?? wall).median;
    };
    const times = blocks.map((block, i) =>
      names.map((name) => time(block, name) - (i === 0 ? 0 : time(blocks[i - 1], name))),
    );
    return {
      tables: [blockTable(blocks, names, times, ceiling)],
      notes: [
        `Limit of this machine in WebAssembly: ${ceiling.plain.toFixed(1)} GMAC/s with f32x4 mul and add, ${ceiling.relaxed.toFixed(1)} with relaxed_madd (best tenth of the samples).`,
        'Times are CPU ms. They are differences of networks cut off after each block, so a negative one means that the cut changed what is fused.',
        'Percentages: of the limit that goes with the engine (relaxed where it uses it); engines with 16-bit products are held against the floats’ limit and may pass it.',
      ],
      data: {
        ceiling,
        blocks: blocks.map((block, i) => ({
          ...block,
          ms: Object.fromEntries(names.map((name, k) => [name, times[i][k]])),
        })),
      },
    };
  },
};

/** Steps whose names begin alike, up to the first dot, are one block. */
function blocksOf(backbone: Backbone): Block[] {
  const blocks: Block[] = [];
  for (const [i, step] of workOf(backbone).entries()) {
    const block = { ...step, name: step.name.split('.')[0], end: i + 1 };
    const last = blocks.at(-1)?.name === block.name ? blocks.pop() : undefined;
    blocks.push(last === undefined ? block : sum(last, block));
  }
  return blocks;
}

/** Both together, under the name and up to the end of the second. */
function sum(a: Block, b: Block): Block {
  return {
    ...b,
    macs: a.macs + b.macs,
    weightBytes: a.weightBytes + b.weightBytes,
    mapBytes: a.mapBytes + b.mapBytes,
  };
}

/** The network cut off before the step `end`, with its last map as the only tap. */
function upTo(backbone: Backbone, end: number): Backbone {
  const steps = backbone.plan.steps.slice(0, end);
  const { name } = steps[end - 1];
  const { channels } = backbone.shapes.get(name)!;
  return {
    ...backbone,
    plan: { ...backbone.plan, steps, taps: [{ name: 'end', step: name, channels }] },
    codeLength: channels,
  };
}

function prefixContender(block: Block, { name, run }: Candidate, pixels: Uint8Array): Contender {
  return local(key(block, name), run(pixels));
}

function key(block: Block, engine: string): string {
  return `${block.name} ${engine}`;
}

function blockTable(
  blocks: readonly Block[],
  names: readonly string[],
  times: readonly (readonly number[])[],
  ceiling: Ceiling,
): Table {
  const row = (name: string, work: Omit<StepWork, 'name'>, ms: readonly number[]): string[] => [
    name,
    (work.macs / 1e6).toFixed(2),
    (work.weightBytes / 1e3).toFixed(0),
    (work.mapBytes / 1e3).toFixed(0),
    ...ms.map((value, i) => {
      const limit = names[i].includes('relaxed') ? ceiling.relaxed : ceiling.plain;
      return `${milliseconds(value)}  ${((100 * work.macs) / (value * 1e6) / limit).toFixed(0)} %`;
    }),
  ];
  return {
    columns: [
      'block',
      'million MACs',
      'weights kB',
      'maps kB',
      ...names.map((name) => `${name}: ms, of the limit`),
    ],
    rows: [
      ...blocks.map((block, i) => row(block.name, block, times[i])),
      row(
        'all',
        blocks.reduce(sum),
        names.map((_, k) => times.reduce((total, ms) => total + ms[k], 0)),
      ),
    ],
  };
}
