/**
 * The plan's arithmetic written down as plainly as possible, in double precision: what every engine is compared with.
 * Slow on purpose; use it at small shapes.
 */
import { type Activation, ACTIVATION_TABLE } from '../../../src/backbone/activations.ts';
import type { Backbone } from '../../../src/backbone/index.ts';
import type { ConvStep, DenseStep, DepthwiseStep, SqueezeExciteStep } from '../../../src/backbone/plan.ts';
import { inSinglePrecision } from '../../../src/safetensors.ts';

/** One picture's feature map, row by row, channels last. */
export interface FeatureMap {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: Float64Array;
}

/** Every step's output for one picture of bytes, by name. */
export function referenceOutputs(backbone: Backbone, pixels: Uint8Array): Map<string, FeatureMap> {
  const { plan } = backbone;
  const { height, width, channels } = plan.input;
  const maps = new Map<string, FeatureMap>([
    ['input', { height, width, channels, values: Float64Array.from(pixels) }],
  ]);
  for (const step of plan.steps) {
    const input = maps.get(step.input)!;
    const pad = step.input === 'input' ? plan.input.padValue : undefined;
    switch (step.op) {
      case 'conv':
        maps.set(step.name, conv(backbone, step, input, pad));
        break;
      case 'depthwise':
        maps.set(step.name, depthwise(backbone, step, input, pad));
        break;
      case 'squeeze-excite':
        maps.set(step.name, squeezeExcite(backbone, step, input));
        break;
      case 'add': {
        const other = maps.get(step.other)!;
        maps.set(step.name, { ...input, values: input.values.map((value, i) => value + other.values[i]) });
        break;
      }
      case 'mean':
        maps.set(step.name, spatialMean(input));
        break;
      case 'dense':
        maps.set(step.name, denseStep(backbone, step, input));
        break;
    }
  }
  maps.delete('input');
  return maps;
}

/** The CNN code of one picture. */
export function referenceCode(backbone: Backbone, pixels: Uint8Array): Float64Array {
  const outputs = referenceOutputs(backbone, pixels);
  return Float64Array.from(
    backbone.plan.taps.flatMap(({ step, statistic = 'mean' }) => {
      const map = outputs.get(step)!;
      return [...(statistic === 'mean' ? spatialMean(map) : spatialDeviation(map)).values];
    }),
  );
}

/** A pixel's channel, or what lies around the map: `pad` where given, else 0. */
function at(map: FeatureMap, y: number, x: number, c: number, pad?: readonly number[]): number {
  const inside = y >= 0 && y < map.height && x >= 0 && x < map.width;
  return inside ? map.values[(y * map.width + x) * map.channels + c] : (pad?.[c] ?? 0);
}

function conv(
  { tensors, tensorShapes }: Backbone,
  step: ConvStep,
  input: FeatureMap,
  pad?: readonly number[],
): FeatureMap {
  const [kernelHeight, kernelWidth, ins, outs] = tensorShapes.get(step.weights)!;
  const weights = inSinglePrecision(tensors.get(step.weights)!);
  const bias = inSinglePrecision(tensors.get(step.bias)!);
  return slide(step, input, bias, kernelHeight, kernelWidth, (top, left, out) => {
    let sum = 0;
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        for (let c = 0; c < ins; c++) {
          sum +=
            at(input, top + ky, left + kx, c, pad) *
            weights[((ky * kernelWidth + kx) * ins + c) * outs + out];
        }
      }
    }
    return sum;
  });
}

function depthwise(
  { tensors, tensorShapes }: Backbone,
  step: DepthwiseStep,
  input: FeatureMap,
  pad?: readonly number[],
): FeatureMap {
  const [kernelHeight, kernelWidth, channels] = tensorShapes.get(step.weights)!;
  const weights = inSinglePrecision(tensors.get(step.weights)!);
  const bias = inSinglePrecision(tensors.get(step.bias)!);
  return slide(step, input, bias, kernelHeight, kernelWidth, (top, left, c) => {
    let sum = 0;
    for (let ky = 0; ky < kernelHeight; ky++) {
      for (let kx = 0; kx < kernelWidth; kx++) {
        sum += at(input, top + ky, left + kx, c, pad) * weights[(ky * kernelWidth + kx) * channels + c];
      }
    }
    return sum;
  });
}

function slide(
  step: ConvStep | DepthwiseStep,
  input: FeatureMap,
  bias: Float32Array,
  kernelHeight: number,
  kernelWidth: number,
  sumAt: (top: number, left: number, channel: number) => number,
): FeatureMap {
  const [top, bottom, left, right] = step.padding;
  const height = Math.floor((input.height + top + bottom - kernelHeight) / step.stride) + 1;
  const width = Math.floor((input.width + left + right - kernelWidth) / step.stride) + 1;
  const channels = bias.length;
  const values = new Float64Array(height * width * channels);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < channels; c++) {
        const sum = sumAt(y * step.stride - top, x * step.stride - left, c) + bias[c];
        values[(y * width + x) * channels + c] = ACTIVATION_TABLE[step.activation].value(sum);
      }
    }
  }
  return { height, width, channels, values };
}

function spatialMean({ height, width, channels, values }: FeatureMap): FeatureMap {
  const means = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) means[i % channels] += values[i] / (height * width);
  return { height: 1, width: 1, channels, values: means };
}

function spatialDeviation(map: FeatureMap): FeatureMap {
  const { values: means } = spatialMean(map);
  const squares = map.values.map((value, i) => (value - means[i % map.channels]) ** 2);
  const variance = spatialMean({ ...map, values: squares });
  return { ...variance, values: variance.values.map(Math.sqrt) };
}

function dense(
  { tensors }: Backbone,
  x: Float64Array,
  weights: string,
  bias: string,
  activation: Activation,
): Float64Array {
  const matrix = tensors.get(weights)!;
  return Float64Array.from(tensors.get(bias)!, (b, out) => {
    const outs = tensors.get(bias)!.length;
    const sum = x.reduce((sum, value, i) => sum + value * matrix[i * outs + out], b);
    return ACTIVATION_TABLE[activation].value(sum);
  });
}

function denseStep(backbone: Backbone, step: DenseStep, input: FeatureMap): FeatureMap {
  const values = dense(backbone, input.values, step.weights, step.bias, step.activation);
  return { height: 1, width: 1, channels: values.length, values };
}

function squeezeExcite(backbone: Backbone, step: SqueezeExciteStep, input: FeatureMap): FeatureMap {
  const squeezed = dense(backbone, spatialMean(input).values, step.reduceWeights, step.reduceBias, 'relu');
  const factors = dense(backbone, squeezed, step.expandWeights, step.expandBias, 'hard-sigmoid');
  return { ...input, values: input.values.map((value, i) => value * factors[i % input.channels]) };
}
