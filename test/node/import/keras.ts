/**
 * Teachable Machine exports made in the tests: MobileNets with random weights in the layers, names and order of the real
 * ones, written by TensorFlow.js itself.
 */
import * as tf from '@tensorflow/tfjs';
import { readModelFiles } from '../../../trainer/import/model-files.ts';
import type { ModelFiles } from '../../../trainer/import/model-files.ts';

export interface ExportOptions {
  readonly size: number;
  readonly grey: boolean;
  readonly labels: readonly string[];
  /** As the V1 checkpoints of 2018 are: 'same' padding at the start and ReLU6 as an activation layer. */
  readonly old?: boolean;
}

/** V1 with α 0.25, [depthwise stride, pointwise filters] a block, as the site's library truncates it. */
const V1_BLOCKS = [[1, 16], [2, 32], [1, 32], [2, 64], [1, 64], [2, 128], [1, 128], [2, 256], [1, 256]] as const; // prettier-ignore

export async function mobileNetV1({
  size,
  grey,
  labels,
  old = false,
}: ExportOptions): Promise<tf.LayersModel> {
  await tf.setBackend('cpu');
  let seed = 1;
  const input = tf.input({ shape: [size, size, grey ? 1 : 3], name: 'input_1' });
  const common = () => ({ useBias: false, kernelInitializer: tf.initializers.heNormal({ seed: seed++ }) });
  const norm = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor => {
    const layer = tf.layers.batchNormalization({
      name,
      epsilon: 1e-3,
      gammaInitializer: around(1.2, seed++),
      betaInitializer: around(0.3, seed++),
      movingMeanInitializer: around(0.1, seed++),
      movingVarianceInitializer: around(1, seed++),
    });
    return symbolic(layer.apply(x));
  };
  const relu = (x: tf.SymbolicTensor, name: string): tf.SymbolicTensor =>
    symbolic(
      (old
        ? tf.layers.activation({ name, activation: 'relu6' })
        : tf.layers.reLU({ name, maxValue: 6 })
      ).apply(x),
    );
  const padded = tf.layers.zeroPadding2d({ padding: [[0, 1], [0, 1]], name: 'conv1_pad' }); // prettier-ignore
  const padding = old ? 'same' : 'valid';
  const first = tf.layers.conv2d({
    filters: 8,
    kernelSize: 3,
    strides: 2,
    padding,
    name: 'conv1',
    ...common(),
  });
  let x = symbolic(first.apply(old ? input : padded.apply(input)));
  x = relu(norm(x, 'conv1_bn'), 'conv1_relu');
  for (const [index, [stride, filters]] of V1_BLOCKS.entries()) {
    const block = index + 1;
    const depthwise = tf.layers.depthwiseConv2d({
      kernelSize: 3,
      strides: stride,
      padding: 'same',
      name: `conv_dw_${block}`,
      useBias: false,
      depthwiseInitializer: tf.initializers.heNormal({ seed: seed++ }),
    });
    x = relu(norm(symbolic(depthwise.apply(x)), `conv_dw_${block}_bn`), `conv_dw_${block}_relu`);
    const pointwise = tf.layers.conv2d({
      filters,
      kernelSize: 1,
      padding: 'same',
      name: `conv_pw_${block}`,
      ...common(),
    });
    x = relu(norm(symbolic(pointwise.apply(x)), `conv_pw_${block}_bn`), `conv_pw_${block}_relu`);
  }
  const truncated = tf.model({ inputs: input, outputs: x });
  const features = tf.sequential();
  features.add(truncated);
  features.add(tf.layers.globalAveragePooling2d({}));
  const classifier = tf.sequential({
    layers: [
      tf.layers.dense({
        inputShape: [256],
        units: 100,
        activation: 'relu',
        kernelInitializer: tf.initializers.varianceScaling({ seed: seed++ }),
        useBias: true,
        biasInitializer: tf.initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed: seed++ }),
      }),
      tf.layers.dense({
        units: labels.length,
        activation: 'softmax',
        useBias: false,
        kernelInitializer: tf.initializers.varianceScaling({ scale: 4, seed: seed++ }),
      }),
    ],
  });
  const joint = tf.sequential();
  joint.add(features);
  joint.add(classifier);
  return joint;
}

export function metadataOf({ labels, grey, size }: ExportOptions): unknown {
  return {
    tfjsVersion: '1.7.4',
    packageVersion: '0.8.4',
    packageName: '@teachablemachine/image',
    modelName: 'made here',
    labels,
    imageSize: size,
    ...(grey ? { grayscale: true } : {}),
  };
}

/** What TensorFlow.js saves, as files in memory: model.json, weights.bin. */
export async function savedFiles(model: tf.LayersModel): Promise<Map<string, Uint8Array>> {
  let saved: tf.io.ModelArtifacts | undefined;
  await model.save({
    save: async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    },
  });
  if (saved?.weightSpecs === undefined || !(saved.weightData instanceof ArrayBuffer))
    throw new Error('not saved');
  const json = {
    modelTopology: saved.modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: saved.weightSpecs }],
  };
  return new Map([
    ['model.json', new TextEncoder().encode(JSON.stringify(json))],
    ['weights.bin', new Uint8Array(saved.weightData)],
  ]);
}

export async function filesFrom(parts: ReadonlyMap<string, Uint8Array>): Promise<ModelFiles> {
  return readModelFiles((path) => {
    const part = parts.get(path);
    return part === undefined ? Promise.reject(new Error(`no ${path}`)) : Promise.resolve(part);
  });
}

export function around(centre: number, seed: number): ReturnType<typeof tf.initializers.randomUniform> {
  return tf.initializers.randomUniform({ minval: centre - 0.2, maxval: centre + 0.2, seed });
}

export function symbolic(
  output: tf.Tensor | tf.Tensor[] | tf.SymbolicTensor | tf.SymbolicTensor[],
): tf.SymbolicTensor {
  if (output instanceof tf.SymbolicTensor) return output;
  throw new TypeError('A layer gave no single symbolic tensor.');
}
