/** Compares an imported backbone, tap by tap, with the original graph run by TensorFlow.js on the same pixels. */
import * as tf from '@tensorflow/tfjs';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { cosine } from '../../../src/learn/statistics/cosine.ts';
import type { GraphBackbone, PixelRange } from './backbone.ts';
import type { ModelFiles } from '../model-files.ts';
import { artifacts, difference, testPictures } from '../parity.ts';
import { tfjsWasm } from '../../runtime.ts';

interface GraphParity {
  readonly taps: readonly TapParity[];
  /** For the model card. */
  readonly text: string;
}

interface TapParity {
  readonly name: string;
  readonly node: string;
  /** The smallest over the pictures, between our means over space and the original's. */
  readonly cosine: number;
  /** The largest over the pictures, as a share of the largest number. */
  readonly relativeDifference: number;
}

const PICTURES = 2;
const MIN_COSINE = 0.99999;
const MAX_RELATIVE_DIFFERENCE = 1e-3;

/** @throws Error naming the tap that differs by more than rounding explains. */
export async function measureGraph(
  files: ModelFiles,
  imported: GraphBackbone,
  pixels: PixelRange,
): Promise<GraphParity> {
  const { backbone, plan } = imported;
  const pictures = testPictures(backbone, PICTURES);
  const engine = await createTfjsEngine(backbone, await tfjsWasm());
  const ours = pictures.map((picture) => engine.codes(picture));
  engine.dispose();
  const theirs = await originalMeans(files, imported, pictures, pixels);
  let offset = 0;
  const taps = plan.taps.map(({ name, channels }, t): TapParity => {
    const [begin, end] = [offset, (offset += channels)];
    const pairs = ours.map((code, i) => [code.subarray(begin, end), theirs[i][t]] as const);
    return {
      name,
      node: imported.tapNodes[t],
      cosine: Math.min(...pairs.map(([a, b]) => cosine(a, b))),
      relativeDifference: Math.max(...pairs.map(([a, b]) => difference(a, b) / largest(b))),
    };
  });
  const wrong = taps.find(
    (tap) => !(tap.cosine >= MIN_COSINE && tap.relativeDifference <= MAX_RELATIVE_DIFFERENCE),
  );
  if (wrong !== undefined) {
    throw new Error(
      `The import computes something else than the original: at '${wrong.node}' the cosine is ${wrong.cosine}.`,
    );
  }
  return { taps, text: describe(taps) };
}

/** For each picture, the means over space of the nodes behind the taps. */
async function originalMeans(
  files: ModelFiles,
  { input, tapNodes, backbone }: GraphBackbone,
  pictures: readonly Uint8Array[],
  { low, high }: PixelRange,
): Promise<Float32Array[][]> {
  await tf.setBackend('cpu');
  const model = await tf.loadGraphModel(tf.io.fromMemory(artifacts(files)));
  const { height, width } = backbone.plan.input;
  const means = pictures.map((picture) =>
    tf.tidy(() => {
      const colour = tf.tensor4d(picture, [1, height, width, 3], 'float32');
      const scaled = tf.add(tf.mul(colour, (high - low) / 255), low);
      const maps = [model.execute({ [input]: scaled }, [...tapNodes])].flat();
      return maps.map((map) => (map.rank === 4 ? tf.mean(map, [1, 2]) : map).dataSync<'float32'>().slice());
    }),
  );
  model.dispose();
  return means;
}

function describe(taps: readonly TapParity[]): string {
  const rows = taps.map(
    (tap) =>
      `| ${tap.name} | \`${tap.node}\` | ${tap.cosine.toFixed(7)} | ${tap.relativeDifference.toExponential(1)} |`,
  );
  return `Means over space of each tap against the original's node, run by TensorFlow.js ${tf.version_core} on ${PICTURES} synthetic pictures:

| tap | node | cosine | largest difference ÷ largest number |
|---|---|---|---|
${rows.join('\n')}`;
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
}
