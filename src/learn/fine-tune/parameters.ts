/**
 * The numbers that fine-tuning adjusts, all in one array: each tensor of a tail has its stretch. Optimiser, average and
 * saved state work on such arrays, independent of layers.
 */
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Backbone } from '../../backbone/load.ts';
import type { BatchNorm, Step } from '../../backbone/plan.ts';
import { tensorNames } from '../../backbone/tail.ts';
import { inSinglePrecision } from '../../safetensors.ts';

export interface Parameter {
  /** The tensor's name in the plan. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly offset: number;
  readonly length: number;
  /** Weights decay; biases don't. */
  readonly kind: 'weights' | 'bias';
  readonly step: Step;
}

/** The parameters of these steps, in the plan's order. */
export function layOut(
  steps: readonly Step[],
  { tensorShapes }: Pick<Backbone, 'tensorShapes'>,
): Parameter[] {
  const parameters: Parameter[] = [];
  let offset = 0;
  for (const step of steps) {
    for (const [index, name] of tensorNames(step).entries()) {
      const kind = index % 2 === 0 ? 'weights' : 'bias';
      const shape = tensorShapes.get(name)!;
      const length = shape.reduce((product, side) => product * side, 1);
      parameters.push({ name, shape, offset, length, kind, step });
      offset += length;
    }
  }
  return parameters;
}

export function lengthOf(parameters: readonly Parameter[]): number {
  return parameters.reduce((sum, { length }) => sum + length, 0);
}

/** The parameters' values in the backbone. */
export function gather(
  parameters: readonly Parameter[],
  { tensors }: Pick<Backbone, 'tensors'>,
): Float32Array {
  const values = new Float32Array(lengthOf(parameters));
  for (const { name, offset } of parameters) values.set(tensors.get(name)!, offset);
  return values;
}

/** The reverse of `gather`; the tensors are views. */
export function scatter(parameters: readonly Parameter[], values: Float32Array): Map<string, Float32Array> {
  return new Map(
    parameters.map(({ name, offset, length }) => [name, values.subarray(offset, offset + length)]),
  );
}

/** Adds the tensor's numbers to those of the array from `offset` on. */
export function addTensor(out: Float32Array, tensor: Tensor, offset: number): void {
  const values = tensor.dataSync<'float32'>();
  for (let i = 0; i < values.length; i++) out[offset + i] += values[i];
}

/**
 * The natural unit of each parameter. Batch norm is folded into the weights, so that channels differ in scale by
 * orders of magnitude; steps of one size would leave some where they are and throw others far off. A filter's unit is
 * the root mean square of its output channel; a bias's is the deviation |γ| that the batch norm gave that channel.
 */
export function unitsOf(parameters: readonly Parameter[], backbone: Pick<Backbone, 'tensors'>): Float32Array {
  const units = new Float32Array(lengthOf(parameters));
  for (const parameter of parameters) {
    const values = inSinglePrecision(backbone.tensors.get(parameter.name)!);
    const channels = parameter.shape.at(-1)!;
    const gamma = parameter.kind === 'bias' ? gammaOf(parameter.step, backbone) : undefined;
    const unit = gamma?.map(Math.abs) ?? rootMeanSquares(values, parameter.kind === 'bias' ? 1 : channels);
    const floor = rootMeanSquare(unit) * SMALLEST_UNIT;
    for (let i = 0; i < values.length; i++)
      units[parameter.offset + i] = Math.max(unit[i % unit.length], floor);
  }
  return units;
}

/** Channels that pretraining switched off may come back, slowly. In units of the tensor's other channels. */
const SMALLEST_UNIT = 0.05;

function gammaOf(step: Step, { tensors }: Pick<Backbone, 'tensors'>): Float32Array | undefined {
  const batchNorm: BatchNorm | undefined = 'batchNorm' in step ? step.batchNorm : undefined;
  return batchNorm === undefined ? undefined : inSinglePrecision(tensors.get(batchNorm.gamma)!);
}

function rootMeanSquares(values: Float32Array, channels: number): Float32Array {
  const squares = new Float64Array(channels);
  for (let i = 0; i < values.length; i++) squares[i % channels] += values[i] ** 2;
  return Float32Array.from(squares, (square) => Math.sqrt((square * channels) / values.length));
}

function rootMeanSquare(values: Float32Array): number {
  return rootMeanSquares(values, 1)[0];
}
