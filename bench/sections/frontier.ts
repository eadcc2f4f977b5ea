/** Accuracy against CPU time: what each network buys at each size and number of bits. */
import { createSimdEngine } from '../../src/backbone/simd/index.ts';
import { onFrontier, type Point } from '../frontier.ts';
import { type Contender, interleave, local, type Timing } from '../measure.ts';
import { lite0, mobileNet, type Network } from '../networks.ts';
import { built } from '../peers/load.ts';
import { decoded, type Labelled, type Photo, type PhotoSet, photoSets, setsInWords } from '../photo-sets.ts';
import { createDecoder } from '../pictures.ts';
import { percent, type Section, spreadText } from '../section.ts';
import { teachableMachine } from '../teachable-machine.ts';
import { accuracyOf, type LabelledCode, trainedHead } from '../trained.ts';

const SIDES = [128, 160, 192, 224];
const BITS = [8, 16, 32] as const;
const QUICK_PICTURES_PER_CLASS = 8;

interface Entrant {
  readonly name: string;
  readonly network: Network;
  readonly codes: (pixels: Uint8Array) => Float32Array;
}

export const frontier: Section = {
  name: 'frontier',
  title: 'Frontier: accuracy of linear heads against CPU time of a picture, in Node',
  async run({ quick, log, pictures: [picture] }) {
    const sets = photoSets(quick ? QUICK_PICTURES_PER_CLASS : Infinity);
    const theirs = await teachableMachine();
    const entrants = entrantsOf(theirs);
    const contenders = entrants.flatMap((entrant) => contendersOf(entrant, picture.bytes));
    const timings = await interleave(contenders, quick ? { rounds: 4, times: 2 } : { rounds: 25, times: 2 });
    const points: Point[] = [];
    for (const entrant of entrants) {
      log(`  ${entrant.name} …`);
      points.push(await pointOf(entrant, sets, timings));
    }
    const best = new Set(onFrontier(points));
    return {
      tables: [
        {
          columns: ['', ...sets.map(({ name }) => name), 'mean', 'codes, CPU ms', 'JPEG to code, CPU ms', 'frontier'], // prettier-ignore
          rows: points.map((point) => [
            point.name,
            ...[...point.accuracies, point.mean].map(percent),
            spreadText(timings.get(`${point.name} codes`)?.cpu),
            spreadText(timings.get(point.name)?.cpu),
            best.has(point) ? 'yes' : '',
          ]),
        },
      ],
      notes: [
        `${setsInWords(sets)}. Heads are linear, of the network’s own codes; all engines are ours, with relaxed SIMD.`,
        `CPU of a ${picture.name} JPEG. On the frontier: nothing that is cheaper is as accurate.`,
        ...(theirs === undefined ? ['Teachable Machine’s network is left out: no export of it lies beside the project (../shared/data/teachable-machine).'] : []), // prettier-ignore
      ],
      data: { points },
    };
  },
};

function entrantsOf(theirs: Network | undefined): Entrant[] {
  const sizes = SIDES.map((side) => ({ side, network: lite0(side) }));
  return [
    ...(theirs === undefined ? [] : [entrant('Teachable Machine’s MobileNetV2 0.35, 224 px, 32 bits', theirs, 32)]), // prettier-ignore
    entrant('MobileNetV3-Small, 224 px, 32 bits', mobileNet(), 32),
    ...sizes.flatMap(({ side, network }) =>
      BITS.map((bits) => entrant(`EfficientNet-Lite0, ${side} px, ${bits} bits`, network, bits)),
    ),
  ];
}

function entrant(name: string, network: Network, bits: (typeof BITS)[number]): Entrant {
  const engine = createSimdEngine(network.backbone, built('engine-relaxed'), { bits });
  return { name, network, codes: (pixels) => engine.codes(pixels) };
}

/** The whole way of a picture, and the network alone. */
function contendersOf({ name, network: { input }, codes }: Entrant, file: Uint8Array): Contender[] {
  const decoder = createDecoder();
  const pixels = new Uint8Array(input.height * input.width * 3).map((_, i) => (i * 31) % 256);
  return [
    local(name, async () => codes((await decoder.decode(file, input)).pixels)),
    local(`${name} codes`, () => codes(pixels)),
  ];
}

async function pointOf(
  { name, network, codes }: Entrant,
  sets: readonly PhotoSet[],
  timings: ReadonlyMap<string, Timing>,
): Promise<Point> {
  const coded = async (photos: readonly Photo[]): Promise<LabelledCode[]> =>
    (await decoded(photos, network.input)).map(({ label, pixels }: Labelled) => ({
      label,
      code: codes(pixels),
    }));
  const accuracies: number[] = [];
  for (const { train, test } of sets) {
    const head = await trainedHead(network, await coded(train));
    accuracies.push(accuracyOf(head, await coded(test)));
  }
  const { cpu, wall } = timings.get(name)!;
  const mean = accuracies.reduce((sum, value) => sum + value, 0) / accuracies.length;
  return { name, accuracies, mean, cpuMs: (cpu ?? wall).median };
}
