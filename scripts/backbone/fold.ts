/**
 * Folds what follows or precedes a convolution into its weights. A batch norm in inference is an affine map of each
 * channel, and so is the input's normalisation: both disappear into the filter and the bias.
 */

interface BatchNormParameters {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

interface Folded {
  readonly weights: Float32Array;
  readonly bias: Float32Array;
}

/**
 * γ·(w∗x − μ)/√(σ² + ε) + β = (w·s)∗x + (β − μ·s) with s = γ/√(σ² + ε) (Ioffe & Szegedy 2015, section 3.1).
 * @param weights [out, …]: each output channel's filter in one piece.
 */
export function foldBatchNorm(weights: Float32Array, norm: BatchNormParameters, epsilon: number): Folded {
  const channels = norm.gamma.length;
  const filter = weights.length / channels;
  const folded = new Float32Array(weights.length);
  const bias = new Float32Array(channels);
  for (let c = 0; c < channels; c++) {
    const scale = norm.gamma[c] / Math.sqrt(norm.variance[c] + epsilon);
    bias[c] = norm.beta[c] - norm.mean[c] * scale;
    for (let i = 0; i < filter; i++) folded[c * filter + i] = weights[c * filter + i] * scale;
  }
  return { weights: folded, bias };
}

/**
 * Makes a convolution of normalised pictures, (x/255 − mean)/deviation, one of bytes. Exact inside the picture; at its
 * borders too, when the padding holds 255·mean instead of zeros, which is what the normalised padding's zeros stood for.
 * @param conv weights [out, in, kernel height, kernel width].
 */
export function foldInputNormalisation(
  conv: Folded,
  mean: readonly number[],
  deviation: readonly number[],
): Folded {
  const outs = conv.bias.length;
  const ins = mean.length;
  const kernel = conv.weights.length / (outs * ins);
  const weights = new Float32Array(conv.weights.length);
  const bias = new Float32Array(outs);
  for (let o = 0; o < outs; o++) {
    let shift = conv.bias[o];
    for (let c = 0; c < ins; c++) {
      for (let k = 0; k < kernel; k++) {
        const at = (o * ins + c) * kernel + k;
        weights[at] = conv.weights[at] / (255 * deviation[c]);
        shift -= (conv.weights[at] * mean[c]) / deviation[c];
      }
    }
    bias[o] = shift;
  }
  return { weights, bias };
}

/** [out, in, kernel height, kernel width] → [kernel height, kernel width, in, out], as plans want convolutions. */
export function toHwio(weights: Float32Array, shape: readonly number[]): Float32Array {
  const [outs, ins, height, width] = shape;
  const result = new Float32Array(weights.length);
  for (let o = 0; o < outs; o++) {
    for (let i = 0; i < ins; i++) {
      for (let k = 0; k < height * width; k++) {
        result[(k * ins + i) * outs + o] = weights[(o * ins + i) * height * width + k];
      }
    }
  }
  return result;
}
