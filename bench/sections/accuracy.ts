/** Speed is worth nothing if the answers get worse: heads trained and tested on real pictures with each engine's codes. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Backbone } from '../../src/backbone/index.ts';
import { type Head, score } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/train.ts';
import { root } from '../../scripts/stale.ts';
import { agreement } from '../agreement.ts';
import { type Candidate, ownEngines, REFERENCE } from '../engines.ts';
import type { Goal } from '../goals.ts';
import { createDecoder } from '../pictures.ts';
import type { Section } from '../section.ts';

/** Beside the project, where a machine has them. */
const LARGER = ['trashnet', 'flowers'].map((set) => join(root, '../shared/data', set));
const CARRIED = join(root, 'examples/trashnet');
const QUICK_PICTURES_PER_CLASS = 10;

interface Labelled {
  readonly label: string;
  readonly pixels: Uint8Array;
}

interface Codes {
  readonly train: Float32Array[];
  readonly test: Float32Array[];
}

interface Outcome {
  readonly set: string;
  readonly engine: string;
  readonly leastCosine: number;
  /** Fractions of the test pictures: head and test with this engine's codes, or the head with the reference's. */
  readonly accuracy: number;
  readonly accuracyOfReferenceHead: number;
}

export const accuracy: Section = {
  name: 'accuracy',
  title: 'Accuracy of heads on the codes of each engine',
  async run({ backbone, quick, log }) {
    const larger = LARGER.filter((folder) => existsSync(folder));
    const folders = larger.length > 0 ? larger : [CARRIED];
    const { engines, absent } = await ownEngines(backbone);
    const outcomes: Outcome[] = [];
    for (const folder of folders) {
      log(`  ${basename(folder)} …`);
      outcomes.push(...(await judge(folder, backbone, engines, quick ? QUICK_PICTURES_PER_CLASS : Infinity)));
    }
    return {
      tables: [
        {
          columns: ['', 'engine', 'accuracy', `with ${REFERENCE}’s head`, 'least cosine of a code'],
          rows: outcomes.map((outcome) => [
            outcome.set,
            outcome.engine,
            percent(outcome.accuracy),
            percent(outcome.accuracyOfReferenceHead),
            `1 − ${(1 - outcome.leastCosine).toExponential(1)}`,
          ]),
        },
      ],
      notes: [
        `Heads are trained on the engine’s own codes of the training pictures, or on those of ${REFERENCE}.`,
        ...absent,
      ],
      goals: [accuracyGoal(outcomes)],
      data: { outcomes },
    };
  },
};

/** The most that any engine's heads lose against the reference's, on any set. */
function accuracyGoal(outcomes: readonly Outcome[]): Goal {
  const losses = outcomes.map(({ set, accuracy: own }) => {
    const reference = outcomes.find((outcome) => outcome.set === set && outcome.engine === REFERENCE)!;
    return 100 * (reference.accuracy - own);
  });
  return { what: 'Accuracy lost by a head', atMost: 0.3, measured: Math.max(...losses), unit: 'points' };
}

async function judge(
  folder: string,
  backbone: Backbone,
  engines: readonly Candidate[],
  most: number,
): Promise<Outcome[]> {
  const train = await load(join(folder, 'train'), backbone, most);
  const test = await load(join(folder, 'test'), backbone, most);
  const [reference] = engines;
  const expected = await codesOf(reference, train, test);
  const referenceHead = await fit(backbone, train, expected.train);
  const outcomes: Outcome[] = [];
  for (const engine of engines) {
    const codes = engine === reference ? expected : await codesOf(engine, train, test);
    const pairs = [...codes.train, ...codes.test].entries();
    const references = [...expected.train, ...expected.test];
    outcomes.push({
      set: basename(folder),
      engine: engine.name,
      leastCosine: Math.min(
        ...Array.from(pairs, ([i, code]) => agreement(engine.name, code, references[i]).cosine),
      ),
      accuracy: share(await fit(backbone, train, codes.train), test, codes.test),
      accuracyOfReferenceHead: share(referenceHead, test, codes.test),
    });
  }
  return outcomes;
}

async function load(folder: string, backbone: Backbone, most: number): Promise<Labelled[]> {
  const decoder = createDecoder();
  const { width, height } = backbone.plan.input;
  const pictures: Labelled[] = [];
  for (const label of readdirSync(folder).sort()) {
    for (const file of readdirSync(join(folder, label)).sort().slice(0, most)) {
      const { pixels } = await decoder.decode(readFileSync(join(folder, label, file)), { width, height });
      pictures.push({ label, pixels });
    }
  }
  return pictures;
}

async function codesOf(
  engine: Candidate,
  train: readonly Labelled[],
  test: readonly Labelled[],
): Promise<Codes> {
  const all = async (pictures: readonly Labelled[]): Promise<Float32Array[]> => {
    const codes: Float32Array[] = [];
    for (const { pixels } of pictures) codes.push((await engine.run(pixels)()).slice());
    return codes;
  };
  return { train: await all(train), test: await all(test) };
}

async function fit(
  backbone: Backbone,
  pictures: readonly Labelled[],
  codes: readonly Float32Array[],
): Promise<Head> {
  const labels = [...new Set(pictures.map(({ label }) => label))];
  const joined = new Float16Array(codes.length * backbone.codeLength);
  for (const [i, code] of codes.entries()) joined.set(code, i * backbone.codeLength);
  const { name, version, weightsSha256, taps } = backbone.plan;
  return await trainHead({
    backbone: { name, version, weightsSha256 },
    taps: taps.map((tap) => tap.name),
    labels,
    codes: joined,
    targets: Uint16Array.from(pictures, ({ label }) => labels.indexOf(label)),
  });
}

function share(head: Head, pictures: readonly Labelled[], codes: readonly Float32Array[]): number {
  const right = codes.filter((code, i) => {
    const { probabilities } = score(head, code);
    return head.labels[probabilities.indexOf(Math.max(...probabilities))] === pictures[i].label;
  });
  return right.length / codes.length;
}

function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
