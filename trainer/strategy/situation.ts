/**
 * Where a data set lies on the map of transfer learning: how much there is of it, and how like it is to what the
 * backbone was pretrained on (https://cs231n.github.io/transfer-learning/).
 */
import { createTfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import { permutation, randomFor } from '../../src/random.ts';
import {
  isMeasurable,
  SimilarityMeter,
  withPreActivations,
  type Similarity,
} from '../../src/learn/statistics/similarity.ts';
import { readPictureFile } from '../codes/picture-file.ts';
import { loadDecoder, loadTrainingModules } from '../runtime.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import type { Terminal } from '../cli/terminal.ts';
import type { Reading } from '../reading.ts';

/** Unknown where the backbone has no batch norms to tell by. */
type Likeness = 'similar' | 'different' | 'unknown';

export interface Situation {
  readonly examples: number;
  readonly perClass: number;
  readonly size: 'little' | 'much';
  /** Undefined where the backbone has no batch norms. */
  readonly similarity: Similarity | undefined;
  /** The distance from which on data are different for this backbone. */
  readonly differentFrom: number;
  readonly likeness: Likeness;
}

/** From about here on fine-tuning beats a linear head on TrashNet; below, a fold's network has too little to go by. */
export const MUCH = { perClass: 40, examples: 200 };
/**
 * The distance from which on data are different, by the name of the backbone: between photos like those of ImageNet and
 * small thumbnails. Measured on the sets of docs/strategies.md.
 */
const DIFFERENT_FROM: ReadonlyMap<string, number> = new Map([
  ['mobilenet-v3-small', 0.18],
  ['efficientnet-lite0', 0.25],
]);
/** Of a backbone that nobody measured. */
const USUALLY_DIFFERENT_FROM = 0.18;
/** The distance is an average over space too, so that few pictures give it well. */
export const SIMILARITY_SAMPLE = 96;
const PURPOSE = 0x73616d70;

export interface SampleOptions {
  /** Decides which pictures are looked at. */
  readonly seed: number;
  readonly terminal: Terminal;
}

export async function assess(
  reading: Reading,
  pictures: LabelledCodes['pictures'],
  classes: number,
  options: SampleOptions,
): Promise<Situation> {
  const examples = pictures.length;
  const similarity = await measureSimilarity(reading, pictures, options);
  const perClass = examples / classes;
  const size = isMuch(examples, classes) ? 'much' : 'little';
  const differentFrom = DIFFERENT_FROM.get(reading.backbone.plan.name) ?? USUALLY_DIFFERENT_FROM;
  const likeness = likenessOf(similarity, differentFrom);
  return { examples, perClass, size, similarity, differentFrom, likeness };
}

/** Whether a network can be changed by so many pictures of so many classes. */
export function isMuch(examples: number, classes: number): boolean {
  return examples >= MUCH.perClass * classes && examples >= MUCH.examples;
}

function likenessOf(similarity: Similarity | undefined, differentFrom: number): Likeness {
  if (similarity === undefined) return 'unknown';
  return similarity.distance < differentFrom ? 'similar' : 'different';
}

/** Of a sample drawn by the seed. */
async function measureSimilarity(
  { backbone, input }: Reading,
  pictures: LabelledCodes['pictures'],
  { seed, terminal }: SampleOptions,
): Promise<Similarity | undefined> {
  if (!isMeasurable(backbone)) return undefined;
  const [decoder, { tfjs }] = await Promise.all([loadDecoder(), loadTrainingModules()]);
  const engine = await createTfjsEngine(withPreActivations(backbone), tfjs);
  const meter = new SimilarityMeter(backbone, engine);
  const sample = permutation(pictures.length, randomFor(seed, PURPOSE)).subarray(0, SIMILARITY_SAMPLE);
  const progress = terminal.progress('Similarity', sample.length);
  for (const i of sample) {
    const { bytes } = await readPictureFile(pictures[i].path);
    meter.add((await decoder.decode(bytes, input)).pixels);
    progress.step();
  }
  progress.stop();
  engine.dispose();
  return meter.result();
}
