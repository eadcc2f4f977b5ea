/** Runs exported TensorFlow.js graph models. */
import * as tf from '@tensorflow/tfjs';
import type { Backbone } from '../../../src/backbone/index.ts';
import { PIXELS, type TfjsModel } from '../../../src/export/index.ts';

async function loaded({ json, shards }: TfjsModel): Promise<tf.GraphModel> {
  // Through text, as a browser gets it.
  const parsed: {
    modelTopology: object;
    weightsManifest: { weights: tf.io.WeightsManifestEntry[] }[];
    signature: object;
  } =
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    JSON.parse(JSON.stringify(json)) as never;
  await tf.setBackend('cpu');
  return tf.loadGraphModel(
    tf.io.fromMemory({
      modelTopology: parsed.modelTopology,
      signature: parsed.signature,
      weightSpecs: parsed.weightsManifest[0].weights,
      weightData: new Uint8Array(Buffer.concat([...shards.values()])).buffer,
    }),
  );
}

/** What a model gives for any number of pictures of the backbone's own size. */
export async function run(
  model: TfjsModel,
  backbone: Backbone,
  pixels: Uint8Array,
  output: string,
): Promise<Float32Array> {
  const graph = await loaded(model);
  const { height, width, channels } = backbone.plan.input;
  const n = pixels.length / (height * width * channels);
  const input = tf.tensor4d(pixels, [n, height, width, channels], 'float32');
  const result = graph.execute({ [PIXELS]: input }, output);
  if (Array.isArray(result)) throw new Error('several outputs');
  return result.dataSync<'float32'>();
}
