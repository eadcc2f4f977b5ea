/**
 * The linear head that trains together with the network: logits = W·(code − mean)/deviation + b, cross-entropy with
 * label smoothing (Szegedy et al. 2016). It starts from a fitted head, so that the first gradients tell the network what
 * is still wrong, rather than what a random head predicts (Kumar et al. 2022, LP-FT).
 */
import * as tf from '@tensorflow/tfjs-core';
import type { Head } from '../../head/head.ts';
import { addTensor } from './parameters.ts';

/** A fitted linear head; row c of the weights is class c's. */
export type LinearStart = Pick<Head, 'mean' | 'deviation' | 'weights' | 'bias' | 'temperature'>;

export interface BatchLoss {
  /** Sums over the pictures. */
  loss: number;
  right: number;
}

export class SoftmaxHead {
  readonly classes: number;
  readonly #codeLength: number;
  readonly #mean: tf.Tensor1D;
  readonly #inverse: tf.Tensor1D;
  #weights: tf.Tensor2D | undefined;
  #bias: tf.Tensor1D | undefined;

  constructor(start: LinearStart) {
    this.classes = start.bias.length;
    this.#codeLength = start.mean.length;
    this.#mean = tf.tensor1d(start.mean);
    this.#inverse = tf.tensor1d(start.deviation.map((value) => 1 / value));
  }

  /** The start's numbers as parameters: weights [D × C] with the temperature in them, then the bias. */
  static parametersOf({ weights, bias, temperature, mean }: LinearStart): Float32Array {
    const [length, classes] = [mean.length, bias.length];
    const values = new Float32Array((length + 1) * classes);
    for (let c = 0; c < classes; c++) {
      for (let d = 0; d < length; d++) values[d * classes + c] = weights[c * length + d] / temperature;
      values[length * classes + c] = bias[c] / temperature;
    }
    return values;
  }

  /** @param values laid out as `parametersOf`. */
  load(values: Float32Array): void {
    tf.dispose([this.#weights, this.#bias]);
    const split = this.#codeLength * this.classes;
    this.#weights = tf.tensor2d(values.slice(0, split), [this.#codeLength, this.classes]);
    this.#bias = tf.tensor1d(values.slice(split));
  }

  dispose(): void {
    tf.dispose([this.#mean, this.#inverse, this.#weights, this.#bias]);
  }

  /**
   * @param codes [pictures, D]. @param wanted [pictures, C] target probabilities, smoothed or mixed; rows sum to 1.
   * @param weight of each picture's loss in the gradients: 1 / the batch's size.
   * @param gradient where the head's gradients are added, laid out as the parameters.
   * @returns the gradient to the codes, [pictures, D], the surrounding tidy's.
   */
  gradients(
    codes: tf.Tensor2D,
    wanted: tf.Tensor2D,
    weight: number,
    gradient: Float32Array,
    batch: BatchLoss,
  ): tf.Tensor2D {
    const standard = tf.mul<tf.Tensor2D>(tf.sub(codes, this.#mean), this.#inverse);
    const logits = tf.add<tf.Tensor2D>(tf.matMul(standard, this.#weights!), this.#bias!);
    const shares = tf.softmax(logits);
    addLoss(shares.dataSync<'float32'>(), wanted.dataSync<'float32'>(), this.classes, batch);
    const dLogits = tf.mul<tf.Tensor2D>(tf.sub(shares, wanted), weight);
    addTensor(gradient, tf.matMul(tf.transpose(standard), dLogits), 0);
    addTensor(gradient, tf.sum(dLogits, 0), this.#codeLength * this.classes);
    return tf.mul<tf.Tensor2D>(tf.matMul(dLogits, tf.transpose(this.#weights!)), this.#inverse);
  }
}

/** Cross-entropy against the wanted probabilities, and how many tops agree. */
function addLoss(shares: Float32Array, wanted: Float32Array, classes: number, batch: BatchLoss): void {
  for (let row = 0; row < shares.length; row += classes) {
    let top = 0;
    let truth = 0;
    for (let c = 0; c < classes; c++) {
      batch.loss -= wanted[row + c] * Math.log(Math.max(shares[row + c], 1e-12));
      if (shares[row + c] > shares[row + top]) top = c;
      if (wanted[row + c] > wanted[row + truth]) truth = c;
    }
    if (top === truth) batch.right++;
  }
}
