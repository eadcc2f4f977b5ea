/**
 * Teachable Machine exports as the site writes them today, made in the tests: MobileNetV2 with α 0.35 and two dense layers,
 * with the names, shapes and order of weights of real ones, whose licences don't let us carry any. The weights are random
 * with fixed seeds, scaled so that what tells pictures apart gets through all layers.
 */
import * as tf from '@tensorflow/tfjs';
import { around, symbolic } from './keras.ts';

export const V2_SIDE = 224;

/** [expansion, filters, stride] of each block. α 0.35 of the network's widths, rounded to multiples of 8. */
const BLOCKS = [
  [1, 8, 1],
  [6, 8, 2], [6, 8, 1],
  [6, 16, 2], [6, 16, 1], [6, 16, 1],
  [6, 24, 2], [6, 24, 1], [6, 24, 1], [6, 24, 1],
  [6, 32, 1], [6, 32, 1], [6, 32, 1],
  [6, 56, 2], [6, 56, 1], [6, 56, 1],
  [6, 112, 1],
] as const; // prettier-ignore

type Symbol = tf.SymbolicTensor;

/** Layers of one network, each with seeds of its own. */
class Layers {
  #seed = 1;

  convolution(
    x: Symbol,
    name: string,
    filters: number,
    options: { kernelSize: number; strides: number },
  ): Symbol {
    const padding = options.strides === 1 ? 'same' : 'valid';
    const kernelInitializer = tf.initializers.heNormal({ seed: this.#seed++ });
    const conv = { name, filters, padding, useBias: false, kernelInitializer, ...options } as const;
    return symbolic(tf.layers.conv2d(conv).apply(x));
  }

  depthwise(x: Symbol, name: string, strides: number): Symbol {
    // As many inputs as the kernel has places: heNormal would count all channels.
    const depthwiseInitializer = tf.initializers.randomNormal({
      stddev: Math.sqrt(2 / 9),
      seed: this.#seed++,
    });
    const padding = strides === 1 ? 'same' : 'valid';
    const options = { name, kernelSize: 3, strides, padding, useBias: false, depthwiseInitializer } as const;
    return symbolic(tf.layers.depthwiseConv2d(options).apply(x));
  }

  norm(x: Symbol, name: string): Symbol {
    const layer = tf.layers.batchNormalization({
      name,
      epsilon: 1e-3,
      gammaInitializer: around(1, this.#seed++),
      betaInitializer: around(0, this.#seed++),
      movingMeanInitializer: around(0, this.#seed++),
      movingVarianceInitializer: around(1, this.#seed++),
    });
    return symbolic(layer.apply(x));
  }

  relu(x: Symbol, name: string): Symbol {
    return symbolic(tf.layers.reLU({ name, maxValue: 6 }).apply(x));
  }

  pad(x: Symbol, name: string): Symbol {
    return symbolic(tf.layers.zeroPadding2d({ name, padding: [[0, 1], [0, 1]] }).apply(x)); // prettier-ignore
  }

  /** An inverted residual. */
  block(input: Symbol, index: number, [expansion, filters, stride]: (typeof BLOCKS)[number]): Symbol {
    const name = index === 0 ? 'expanded_conv_' : `block_${index}_`;
    const channels = Number(input.shape.at(-1));
    let x = input;
    if (expansion > 1) {
      x = this.convolution(x, `${name}expand`, channels * expansion, { kernelSize: 1, strides: 1 });
      x = this.relu(this.norm(x, `${name}expand_BN`), `${name}expand_relu`);
    }
    if (stride > 1) x = this.pad(x, `${name}pad`);
    x = this.depthwise(x, `${name}depthwise`, stride);
    x = this.relu(this.norm(x, `${name}depthwise_BN`), `${name}depthwise_relu`);
    x = this.convolution(x, `${name}project`, filters, { kernelSize: 1, strides: 1 });
    x = this.norm(x, `${name}project_BN`);
    return channels === filters && stride === 1
      ? symbolic(tf.layers.add({ name: `${name}add` }).apply([input, x]))
      : x;
  }

  classifier(classes: number): tf.Sequential {
    const kernelInitializer = tf.initializers.varianceScaling({ seed: this.#seed++ });
    const biasInitializer = tf.initializers.randomUniform({ minval: -0.2, maxval: 0.2, seed: this.#seed++ });
    const last = tf.initializers.varianceScaling({ scale: 4, seed: this.#seed++ });
    return tf.sequential({
      layers: [
        tf.layers.dense({
          inputShape: [1280],
          units: 100,
          activation: 'relu',
          kernelInitializer,
          biasInitializer,
        }),
        tf.layers.dense({ units: classes, activation: 'softmax', useBias: false, kernelInitializer: last }),
      ],
    });
  }
}

export async function mobileNetV2({
  labels,
}: {
  readonly labels: readonly string[];
}): Promise<tf.LayersModel> {
  await tf.setBackend('cpu');
  const layers = new Layers();
  const input = tf.input({ shape: [V2_SIDE, V2_SIDE, 3], name: 'input_1' });
  let x = layers.convolution(layers.pad(input, 'Conv1_pad'), 'Conv1', 16, { kernelSize: 3, strides: 2 });
  x = layers.relu(layers.norm(x, 'bn_Conv1'), 'Conv1_relu');
  for (const [index, block] of BLOCKS.entries()) x = layers.block(x, index, block);
  x = layers.convolution(x, 'Conv_1', 1280, { kernelSize: 1, strides: 1 });
  x = layers.relu(layers.norm(x, 'Conv_1_bn'), 'out_relu');
  const features = tf.sequential();
  features.add(tf.model({ inputs: input, outputs: x }));
  features.add(tf.layers.globalAveragePooling2d({}));
  const joint = tf.sequential();
  joint.add(features);
  joint.add(layers.classifier(labels.length));
  return joint;
}
