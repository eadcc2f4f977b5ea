/** Puts a plan's weights on the TensorFlow.js backend, step by step, in the form the engine runs. */
import { inSinglePrecision } from '../../safetensors.ts';
import type { Backbone } from '../load.ts';
import type {
  AddStep,
  ConvStep,
  DenseStep,
  DepthwiseStep,
  MeanStep,
  SqueezeExciteStep,
  Step,
} from '../plan.ts';
import type { Convolution, ConvolutionSource } from './convolution.ts';
import { prepareConvolution } from './convolution.ts';

export type PreparedStep =
  | { kind: 'convolution'; step: ConvStep | DepthwiseStep | DenseStep; convolution: Convolution }
  | { kind: 'squeeze-excite'; step: SqueezeExciteStep; reduce: Convolution; expand: Convolution }
  | { kind: 'add'; step: AddStep }
  | { kind: 'mean'; step: MeanStep };

/** The caller owns the result and ends it with `disposeStep`. */
export function prepareStep(step: Step, backbone: Backbone): PreparedStep {
  switch (step.op) {
    case 'conv':
    case 'depthwise':
      return { kind: 'convolution', step, convolution: prepareConvolution(spatial(step, backbone)) };
    case 'dense':
      return {
        kind: 'convolution',
        step,
        convolution: pointwise(step.weights, step.bias, step.activation, backbone),
      };
    case 'squeeze-excite':
      return {
        kind: 'squeeze-excite',
        step,
        reduce: pointwise(step.reduceWeights, step.reduceBias, 'relu', backbone),
        expand: pointwise(step.expandWeights, step.expandBias, 'hard-sigmoid', backbone),
      };
    case 'add':
      return { kind: 'add', step };
    case 'mean':
      return { kind: 'mean', step };
  }
}

export function disposeStep(prepared: PreparedStep): void {
  const convolutions =
    prepared.kind === 'convolution'
      ? [prepared.convolution]
      : prepared.kind === 'squeeze-excite'
        ? [prepared.reduce, prepared.expand]
        : [];
  for (const { filter, bias } of convolutions) {
    filter.dispose();
    bias.dispose();
  }
}

function spatial(step: ConvStep | DepthwiseStep, { tensors, tensorShapes }: Backbone): ConvolutionSource {
  const [kernelHeight, kernelWidth, third, fourth = 1] = tensorShapes.get(step.weights)!;
  return {
    kind: step.op,
    weights: inSinglePrecision(tensors.get(step.weights)!),
    shape: [kernelHeight, kernelWidth, third, fourth],
    bias: inSinglePrecision(tensors.get(step.bias)!),
    stride: step.stride,
    padding: step.padding,
    activation: step.activation,
  };
}

/** A fully connected layer is a 1×1 convolution of a 1×1 map. */
function pointwise(
  weights: string,
  bias: string,
  activation: ConvolutionSource['activation'],
  { tensors, tensorShapes }: Backbone,
): Convolution {
  const [ins, outs] = tensorShapes.get(weights)!;
  return prepareConvolution({
    kind: 'conv',
    weights: inSinglePrecision(tensors.get(weights)!),
    shape: [1, 1, ins, outs],
    bias: inSinglePrecision(tensors.get(bias)!),
    stride: 1,
    padding: [0, 0, 0, 0],
    activation,
  });
}
