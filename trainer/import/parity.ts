/**
 * Compares an import with the original, run by TensorFlow.js itself on the same pixels. TensorFlow.js's own loader reads
 * the original, so that a mistake of our reader shows.
 */
import * as tf from '@tensorflow/tfjs';
import { createTfjsEngine } from '../../src/backbone/tfjs/engine.ts';
import type { Backbone } from '../../src/backbone/index.ts';
import { score } from '../../src/head/index.ts';
import { tfjsWasm } from '../runtime.ts';
import type { ModelFiles } from './model-files.ts';
import { LUMA, type ImportedClassifier } from './teachable-machine.ts';

export interface Parity {
  readonly pictures: number;
  readonly largestDifference: number;
  /** For the model card. */
  readonly text: string;
}

/** Beyond this the import is wrong, not rounded. */
const MAX_PROBABILITY_DIFFERENCE = 1e-4;
const PICTURES = 4;

/** @throws Error when a probability differs by more than rounding explains. */
export async function measureClassifier(
  files: ModelFiles,
  { backbone, head }: ImportedClassifier,
  pixelScale: number,
): Promise<Parity> {
  const pictures = testPictures(backbone, PICTURES);
  const engine = await createTfjsEngine(backbone, await tfjsWasm());
  const ours = pictures.map((pixels) => score(head, engine.codes(pixels)).probabilities);
  engine.dispose();
  const model = await originalLayersModel(files);
  await tf.setBackend('cpu');
  const theirs = pictures.map((pixels) =>
    tf.tidy(() => {
      const [, height, width, channels] = model.inputs[0].shape;
      const colour = tf.tensor4d(pixels, [1, height ?? 0, width ?? 0, 3], 'float32');
      const channelsRead = channels === 1 ? tf.sum(tf.mul(colour, tf.tensor1d([...LUMA])), -1, true) : colour;
      const answer = model.predict(tf.sub(tf.div(channelsRead, pixelScale), 1));
      if (Array.isArray(answer)) throw new Error('The original has several outputs.');
      return answer.dataSync<'float32'>();
    }),
  );
  model.dispose();
  const largestDifference = Math.max(...ours.map((answer, i) => difference(answer, theirs[i])));
  if (!(largestDifference <= MAX_PROBABILITY_DIFFERENCE)) {
    throw new Error(
      `The import does not answer as the original: a probability differs by ${largestDifference}.`,
    );
  }
  const text = `On ${PICTURES} synthetic pictures the probabilities differ from those of TensorFlow.js ${tf.version_core} on the
original by at most ${largestDifference.toExponential(1)}.`;
  return { pictures: PICTURES, largestDifference, text };
}

/** The original, loaded by TensorFlow.js. The caller disposes of it. */
export async function originalLayersModel(files: ModelFiles): Promise<tf.LayersModel> {
  return tf.loadLayersModel(tf.io.fromMemory(artifacts(files)));
}

/** The files as TensorFlow.js's loaders take them. */
export function artifacts({ topology, manifest, groups }: ModelFiles): tf.io.ModelArtifacts {
  // Its types know the formats better than files do; both sides have been checked by our own reader.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const weightSpecs = manifest.flatMap((group) => group.weights) as tf.io.WeightsManifestEntry[];
  const weightData = new Uint8Array(Buffer.concat(groups)).buffer;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return { modelTopology: topology as object, weightSpecs, weightData };
}

/** Noise, gradients and a pattern: what a picture can hold, repeatably. */
export function testPictures({ plan }: Backbone, count: number): Uint8Array[] {
  const { height, width, channels } = plan.input;
  let state = 1;
  return Array.from({ length: count }, (_, picture) =>
    Uint8Array.from({ length: height * width * channels }, (_, i) => {
      const x = Math.floor(i / channels) % width;
      const y = Math.floor(i / (channels * width));
      const phase = (i % channels) * 2 + picture;
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      const noise = ((state >>> 16) & 0xff) * (picture % 2 === 0 ? 1 : 0.2);
      const wave = 127 + 127 * Math.sin(x / (3 + 11 * picture) + y / (29 - 5 * picture) + phase);
      return picture === 0 ? noise : 0.8 * wave + 0.2 * noise;
    }),
  );
}

export function difference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}
