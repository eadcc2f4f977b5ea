/**
 * Gradients of convolutions, made of the forward kernels that TensorFlow.js's WASM backend has in SIMD. The gradient
 * to a filter is one matrix product a filter position; the gradient to the input is a convolution of the output's
 * gradient with the filter turned round (Dumoulin & Visin 2016, section 4). The backend's own kernel for the latter is
 * scalar, so this takes its place.
 */
import * as tf from '@tensorflow/tfjs-core';

type Info = tf.backend_util.Conv2DInfo;

/**
 * @param x [pictures, height, width, in].
 * @param dy gradient to the output, [pictures, out height, out width, out].
 * @returns gradient to the filter, [kernel height, kernel width, in, out].
 */
export function convFilterGradient(x: tf.Tensor4D, dy: tf.Tensor4D, info: Info): tf.Tensor4D {
  const { filterHeight, filterWidth, inChannels, outChannels } = info;
  return tf.tidy(() => {
    const padded = padInput(x, info);
    const rows = tf.reshape(dy, [-1, outChannels]);
    const products: tf.Tensor2D[] = [];
    for (let ky = 0; ky < filterHeight; ky++) {
      for (let kx = 0; kx < filterWidth; kx++) {
        const window = tf.reshape(windowOf(padded, ky, kx, info), [-1, inChannels]);
        // The product's own way to read its left operand turned is scalar.
        products.push(tf.matMul(tf.transpose(window), rows));
      }
    }
    const stacked = products.length === 1 ? products[0] : tf.concat(products, 0);
    return tf.reshape(stacked, [filterHeight, filterWidth, inChannels, outChannels]);
  });
}

/**
 * @param dy gradient to the output, [pictures, out height, out width, out].
 * @param filter [kernel height, kernel width, in, out].
 * @returns gradient to the input, [pictures, height, width, in].
 */
export function convInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, info: Info): tf.Tensor4D {
  return tf.tidy(() => {
    const turned = tf.transpose(turnRound(filter), [0, 1, 3, 2]);
    return cropToInput(tf.conv2d(spreadOutput(dy, info), turned, 1, borderOf(info)), info);
  });
}

/**
 * @param dy gradient to the output, [pictures, out height, out width, channels].
 * @param filter [kernel height, kernel width, channels, 1].
 * @returns gradient to the input, [pictures, height, width, channels].
 */
export function depthwiseInputGradient(dy: tf.Tensor4D, filter: tf.Tensor4D, info: Info): tf.Tensor4D {
  return tf.tidy(() => {
    const full = tf.depthwiseConv2d(spreadOutput(dy, info), turnRound(filter), 1, borderOf(info));
    return cropToInput(full, info);
  });
}

/** x with the convolution's zeros around it. */
function padInput(x: tf.Tensor4D, { padInfo }: Info): tf.Tensor4D {
  const { top, bottom, left, right } = padInfo;
  if (top + bottom + left + right === 0) return x;
  return tf.pad4d(x, [[0, 0], [top, bottom], [left, right], [0, 0]]); // prettier-ignore
}

/** The part of the padded input that filter position (ky, kx) reads: [pictures, out height, out width, channels]. */
function windowOf(padded: tf.Tensor4D, ky: number, kx: number, info: Info): tf.Tensor4D {
  const { outHeight, outWidth, strideHeight, strideWidth } = info;
  const [pictures, height, width, channels] = padded.shape;
  if (height === outHeight && width === outWidth) return padded;
  if (strideHeight === 1 && strideWidth === 1) {
    return tf.slice4d(padded, [0, ky, kx, 0], [pictures, outHeight, outWidth, channels]);
  }
  const end = [
    pictures,
    ky + (outHeight - 1) * strideHeight + 1,
    kx + (outWidth - 1) * strideWidth + 1,
    channels,
  ];
  const window = tf.stridedSlice(padded, [0, ky, kx, 0], end, [1, strideHeight, strideWidth, 1]);
  return tf.reshape<tf.Rank.R4>(window, [pictures, outHeight, outWidth, channels]);
}

/** The output's gradient as the turned filter reads it at stride 1: with stride − 1 zeros behind every element. */
function spreadOutput(dy: tf.Tensor4D, { strideHeight, strideWidth }: Info): tf.Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return dy;
  const [pictures, height, width, channels] = dy.shape;
  const elements = tf.reshape<tf.Rank.R3>(dy, [pictures * height * width, 1, channels]);
  const columns = tf.pad3d(elements, [[0, 0], [0, strideWidth - 1], [0, 0]]); // prettier-ignore
  const rows = tf.reshape<tf.Rank.R3>(columns, [pictures * height, 1, width * strideWidth * channels]);
  const spread = tf.pad3d(rows, [[0, 0], [0, strideHeight - 1], [0, 0]]); // prettier-ignore
  return tf.reshape(spread, [pictures, height * strideHeight, width * strideWidth, channels]);
}

/** Padding with which the spread gradient gives just the input's rows and columns, or a few too many at the ends. */
function borderOf(info: Info): [[number, number], [number, number], [number, number], [number, number]] {
  const { filterHeight, filterWidth, padInfo, inHeight, inWidth } = info;
  const rows = border(filterHeight, padInfo.top, inHeight, info.outHeight * info.strideHeight);
  const columns = border(filterWidth, padInfo.left, inWidth, info.outWidth * info.strideWidth);
  return [[0, 0], rows, columns, [0, 0]];
}

function border(kernel: number, before: number, input: number, spread: number): [number, number] {
  if (before < kernel) return [kernel - 1 - before, Math.max(0, input - spread + before)];
  throw new RangeError('A convolution whose padding exceeds its kernel has no gradient here.');
}

/** The filter with its rows and its columns in reverse. On the host: the backend's own kernel takes milliseconds. */
function turnRound(filter: tf.Tensor4D): tf.Tensor4D {
  const [height, width, ins, outs] = filter.shape;
  if (height * width === 1) return filter;
  const values = filter.dataSync<'float32'>();
  const turned = new Float32Array(values.length);
  const block = ins * outs;
  for (let at = 0; at < values.length; at += block) {
    turned.set(values.subarray(at, at + block), values.length - block - at);
  }
  return tf.tensor4d(turned, filter.shape);
}

/** Cuts off the rows and columns that a large stride left over. */
function cropToInput(full: tf.Tensor4D, { inHeight, inWidth }: Info): tf.Tensor4D {
  const [pictures, height, width, channels] = full.shape;
  if (height === inHeight && width === inWidth) return full;
  return tf.slice4d(full, [0, 0, 0, 0], [pictures, inHeight, inWidth, channels]);
}
