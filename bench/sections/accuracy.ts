/** Speed is worth nothing if the answers get worse: heads trained and tested on real pictures with each engine's codes. */
import { agreement } from '../agreement.ts';
import { type Candidate, ownEngines, REFERENCE } from '../engines.ts';
import { percent, type Section, type Goal } from '../section.ts';
import type { Network } from '../networks.ts';
import { decoded, type Labelled, photoSets, type PhotoSet } from '../photo-sets.ts';
import { accuracyOf, type LabelledCode, trainedHead } from '../trained.ts';

const QUICK_PICTURES_PER_CLASS = 10;

interface Codes {
  readonly train: LabelledCode[];
  readonly test: LabelledCode[];
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
  async run({ backbone, input, quick, log }) {
    const { engines, absent } = await ownEngines(backbone);
    const outcomes: Outcome[] = [];
    for (const set of photoSets(quick ? QUICK_PICTURES_PER_CLASS : Infinity)) {
      log(`  ${set.name} …`);
      outcomes.push(...(await judge(set, { backbone, input }, engines)));
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

async function judge(set: PhotoSet, network: Network, engines: readonly Candidate[]): Promise<Outcome[]> {
  const train = await decoded(set.train, network.input);
  const test = await decoded(set.test, network.input);
  const [reference] = engines;
  const expected = await codesOf(reference, train, test);
  const referenceHead = await trainedHead(network, expected.train);
  const outcomes: Outcome[] = [];
  for (const engine of engines) {
    const codes = engine === reference ? expected : await codesOf(engine, train, test);
    const pairs = [...codes.train, ...codes.test].entries();
    const references = [...expected.train, ...expected.test];
    outcomes.push({
      set: set.name,
      engine: engine.name,
      leastCosine: Math.min(
        ...Array.from(pairs, ([i, { code }]) => agreement(engine.name, code, references[i].code).cosine),
      ),
      accuracy: accuracyOf(await trainedHead(network, codes.train), codes.test),
      accuracyOfReferenceHead: accuracyOf(referenceHead, codes.test),
    });
  }
  return outcomes;
}

async function codesOf(
  engine: Candidate,
  train: readonly Labelled[],
  test: readonly Labelled[],
): Promise<Codes> {
  const all = async (pictures: readonly Labelled[]): Promise<LabelledCode[]> => {
    const codes: LabelledCode[] = [];
    for (const { label, pixels } of pictures)
      codes.push({ label, code: (await engine.run(pixels)()).slice() });
    return codes;
  };
  return { train: await all(train), test: await all(test) };
}
