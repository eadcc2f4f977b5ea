/**
 * Writes a backbone as an ONNX model, so that any runtime computes the same CNN codes from the same pixels. Same
 * weights in 32 bits, same steps; the layout changes from channels last to ONNX's channels first.
 */
import type { Backbone } from '../backbone/index.ts';
import type { Activation, ConvStep, DepthwiseStep, SqueezeExciteStep, Step } from '../backbone/plan.ts';
import { HeadwaterError } from '../errors.ts';
import { type Attribute, castTarget, OnnxGraph } from './onnx-graph.ts';
import { centredBias, convKernel, denseKernel, depthwiseKernel, type Kernel } from './onnx-kernels.ts';

/**
 * What the model reads, under the same name.
 * - `pixels`: uint8 [n, height, width, channels], what a decoder gives and what the project's own engines read.
 * - `planes`: float32 [n, channels, height, width], the pixel (0 to 255) minus `plan.input.padValue` of its channel:
 *   the layout that ONNX runtimes like best, prepared by the host.
 */
export type OnnxInput = 'pixels' | 'planes';

export interface OnnxOptions {
  /** Default `pixels`. */
  readonly input?: OnnxInput;
}

/** The model's output: float32 [n, D]. */
export const CODES = 'codes';

/** The plan's name of the picture; in the graph, the picture centred on padValue. */
const PICTURE = 'input';

/** How each activation is written; each returns the name of its output. */
const ACTIVATIONS: Record<
  Exclude<Activation, 'none'>,
  (graph: OnnxGraph, name: string, input: string) => string
> = {
  relu: (graph, name, input) => graph.node('Relu', name, [input]),
  relu6: (graph, name, input) => {
    const bounds = [0, 6].map((bound) => graph.constant(`${name}/${bound}`, [], Float32Array.of(bound)));
    return graph.node('Clip', name, [input, ...bounds]);
  },
  'hard-swish': (graph, name, input) => graph.node('HardSwish', name, [input]),
  // clip(x / 6 + 1 / 2, 0, 1), Howard et al. 2019; ONNX's default slope is 0.2.
  'hard-sigmoid': (graph, name, input) =>
    graph.node('HardSigmoid', name, [input], { alpha: { float: 1 / 6 }, beta: { float: 0.5 } }),
};

/** The backbone as an ONNX model (operator set 17): n pictures in, CNN codes [n, D] out under the name `codes`. */
export function planToOnnx(backbone: Backbone, options: OnnxOptions = {}): Uint8Array {
  const { plan } = backbone;
  const graph = new OnnxGraph();
  addBackbone(graph, backbone, options.input ?? 'pixels');
  graph.output(CODES, 'float32', ['n', backbone.codeLength]);
  return graph.encode(plan.name, {
    backbone: `${plan.name} ${plan.version}`,
    weights_sha256: plan.weightsSha256,
  });
}

/** Adds the input, the steps and the taps to `graph`. @returns the name of the value that holds the codes, [n, D]. */
export function addBackbone(graph: OnnxGraph, backbone: Backbone, input: OnnxInput): string {
  return new BackboneWriter(graph, backbone).write(input);
}

/**
 * ONNX convolutions pad with zero, plans pad the picture with `padValue`, one a channel. The picture is therefore
 * centred on padValue, and what that takes from a convolution that reads it is put into its bias: exact everywhere.
 */
class BackboneWriter {
  readonly #graph: OnnxGraph;
  readonly #backbone: Backbone;
  /** Values made on demand, by the step they are made from. */
  readonly #means = new Map<string, string>();
  #uncentred: string | undefined;

  constructor(graph: OnnxGraph, backbone: Backbone) {
    this.#graph = graph;
    this.#backbone = backbone;
  }

  write(input: OnnxInput): string {
    this.#writeInput(input);
    const { steps, taps } = this.#backbone.plan;
    for (const step of steps) this.#writeStep(step);
    const codes = taps.map((tap) =>
      this.#graph.node('Flatten', `${tap.name}/code`, [this.#mean(tap.step)], { axis: 1 }),
    );
    return this.#graph.node('Concat', CODES, codes, { axis: 1 });
  }

  #writeInput(kind: OnnxInput): void {
    const graph = this.#graph;
    const { height, width, channels } = this.#backbone.plan.input;
    if (kind === 'planes') {
      graph.node('Identity', PICTURE, [graph.input(kind, 'float32', ['n', channels, height, width])]);
      return;
    }
    const pixels = graph.input(kind, 'uint8', ['n', height, width, channels]);
    const turned = graph.node('Transpose', `${PICTURE}/turned`, [pixels], { perm: [0, 3, 1, 2] });
    const numbers = graph.node('Cast', `${PICTURE}/numbers`, [turned], { to: castTarget('float32') });
    graph.node('Sub', PICTURE, [numbers, this.#centre(`${PICTURE}/centre`)]);
  }

  #writeStep(step: Step): void {
    switch (step.op) {
      case 'conv':
        this.#convolution(step, convKernel(...this.#weights(step.weights)), 1);
        return;
      case 'depthwise': {
        const kernel = depthwiseKernel(...this.#weights(step.weights));
        this.#convolution(step, kernel, kernel.shape[0]);
        return;
      }
      case 'squeeze-excite':
        this.#squeezeExcite(step);
        return;
      case 'add':
        this.#graph.node('Add', step.name, [this.#value(step.input), this.#value(step.other)]);
        return;
      case 'mean':
        this.#graph.node('Identity', step.name, [this.#mean(step.input)]);
        return;
      case 'dense':
        this.#dense(step.name, this.#value(step.input), step.weights, step.bias, step.activation);
    }
  }

  #convolution(step: ConvStep | DepthwiseStep, kernel: Kernel, group: number): void {
    const { padValue } = this.#backbone.plan.input;
    const [bias] = this.#weights(step.bias);
    const [top, bottom, left, right] = step.padding;
    const shifted = step.input === PICTURE ? centredBias(bias, kernel, padValue, group) : bias;
    this.#conv(step.name, step.input, kernel, shifted, step.activation, {
      group,
      kernel_shape: kernel.shape.slice(2),
      strides: [step.stride, step.stride],
      pads: [top, left, bottom, right],
    });
  }

  #squeezeExcite(step: SqueezeExciteStep): void {
    const { name } = step;
    const mean = this.#mean(step.input);
    const reduced = this.#dense(`${name}/reduce`, mean, step.reduceWeights, step.reduceBias, 'relu');
    const factor = this.#dense(
      `${name}/expand`,
      reduced,
      step.expandWeights,
      step.expandBias,
      'hard-sigmoid',
    );
    this.#graph.node('Mul', name, [this.#value(step.input), factor]);
  }

  #dense(name: string, input: string, weights: string, bias: string, activation: Activation): string {
    const kernel = denseKernel(...this.#weights(weights));
    return this.#conv(name, input, kernel, this.#weights(bias)[0], activation);
  }

  #conv(
    name: string,
    input: string,
    kernel: Kernel,
    bias: Float32Array,
    activation: Activation,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    const graph = this.#graph;
    const inputs = [
      input,
      graph.constant(`${name}/weights`, kernel.shape, kernel.values),
      graph.constant(`${name}/bias`, [bias.length], bias),
    ];
    if (activation === 'none') return graph.node('Conv', name, inputs, attributes);
    return ACTIVATIONS[activation](graph, name, graph.node('Conv', `${name}/linear`, inputs, attributes));
  }

  /** The mean over space of a step's output, [n, channels, 1, 1]; one node however many read it. */
  #mean(step: string): string {
    const known = this.#means.get(step);
    if (known !== undefined) return known;
    const name = this.#graph.node('GlobalAveragePool', `${step}/mean`, [this.#value(step)]);
    this.#means.set(step, name);
    return name;
  }

  /** What other steps than convolutions read: a step's output, or the picture with its centre put back. */
  #value(step: string): string {
    if (step !== PICTURE) return step;
    const centre = `${PICTURE}/uncentre`;
    this.#uncentred ??= this.#graph.node('Add', `${PICTURE}/uncentred`, [PICTURE, this.#centre(centre)]);
    return this.#uncentred;
  }

  #centre(name: string): string {
    const { channels, padValue } = this.#backbone.plan.input;
    return this.#graph.constant(name, [1, channels, 1, 1], Float32Array.from(padValue));
  }

  /** Values and shape of a tensor of the plan. */
  #weights(name: string): [Float32Array, readonly number[]] {
    const values = this.#backbone.tensors.get(name);
    const shape = this.#backbone.tensorShapes.get(name);
    if (values === undefined || shape === undefined) {
      throw new HeadwaterError(
        'backbone_invalid',
        `The backbone has no tensor '${name}', which its plan names.`,
      );
    }
    return [values, shape];
  }
}
