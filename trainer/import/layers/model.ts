/**
 * Reads the topology of a TensorFlow.js layers model (Keras's JSON: Sequential and functional models, nested in any way)
 * into symbolic values. Knows the layers that MobileNets and small classifiers on top of them are made of.
 */
import * as z from 'zod';
import {
  check,
  CONFIGS,
  functionalSchema,
  layerSchema,
  layersOf,
  MODELS,
  nameOf,
  referenceSchema,
  unknownLayers,
  type Biased,
  type LayerJson,
} from './json.ts';
import { invalid, unsupported } from '../model-error.ts';
import * as symbolic from '../symbolic.ts';
import type { Value } from '../symbolic.ts';
import { tensorNamed, type ModelTensor } from '../weights.ts';

/** A classifier's end: probabilities = softmax(logits). */
interface LayersModel {
  /** The value before the softmax, or the last one where there is none. */
  readonly output: Value;
  readonly softmax: boolean;
}

/** What the model's input stands for; called once its shape is known. */
export type MakeInput = (shape: { height: number; width: number; channels: number }) => Value;

/**
 * @param topology `modelTopology` of model.json.
 * @throws ModelError naming the layers that are not known, all of them.
 */
export function readLayersModel(
  topology: unknown,
  weights: ReadonlyMap<string, ModelTensor>,
  makeInput: MakeInput,
): LayersModel {
  const outer = check(z.object({ model_config: z.unknown().optional() }), topology, 'modelTopology');
  const root = check(layerSchema, outer.model_config ?? topology, 'modelTopology');
  const unknown = unknownLayers(root, KNOWN);
  if (unknown.length > 0) {
    throw unsupported(`it has layers that plans cannot express: ${unknown.slice(0, 20).join(', ')}`);
  }
  const reader = new LayersReader(weights, makeInput);
  const output = reader.model(root, undefined);
  return { output, softmax: reader.softmax };
}

class LayersReader {
  readonly #weights: ReadonlyMap<string, ModelTensor>;
  readonly #makeInput: MakeInput;
  #picture: Value | undefined;
  softmax = false;

  constructor(weights: ReadonlyMap<string, ModelTensor>, makeInput: MakeInput) {
    this.#weights = weights;
    this.#makeInput = makeInput;
  }

  /** @param input undefined at the outermost start, where the picture comes in. */
  model(layer: LayerJson, input: Value | undefined): Value {
    if (layer.class_name === 'Sequential') return this.#sequential(layersOf(layer), input, nameOf(layer));
    if (layer.class_name === 'Model' || layer.class_name === 'Functional')
      return this.#functional(layer, input);
    throw unsupported(`its outermost layer is a ${layer.class_name}, no model`);
  }

  #sequential(layers: readonly LayerJson[], input: Value | undefined, where: string): Value {
    let value = input;
    for (const layer of layers) value = this.#layer(layer, value === undefined ? [] : [value]);
    if (value === undefined) throw invalid(`'${where}' has no layers`);
    return value;
  }

  #functional(layer: LayerJson, input: Value | undefined): Value {
    const where = nameOf(layer);
    const config = check(functionalSchema, layer.config, where);
    const [outputName] = soleReference(config.output_layers, `output_layers of '${where}'`);
    const [inputName] = soleReference(config.input_layers, `input_layers of '${where}'`);
    const values = new Map<string, Value>();
    for (const inner of config.layers) {
      const innerName = nameOf(inner);
      if (values.has(innerName)) throw invalid(`two layers of '${where}' are named '${innerName}'`);
      const isInput = inner.class_name === 'InputLayer';
      if (isInput && innerName !== inputName)
        throw unsupported(`'${where}' has a second input, '${innerName}'`);
      const inputs = isInput ? (input === undefined ? [] : [input]) : inboundValues(inner, values);
      values.set(innerName, this.#layer(inner, inputs));
    }
    const output = values.get(outputName);
    if (output === undefined) throw invalid(`the output '${outputName}' of '${where}' is none of its layers`);
    return output;
  }

  #layer(layer: LayerJson, inputs: readonly Value[]): Value {
    if (this.softmax) throw unsupported(`something follows the softmax: '${nameOf(layer)}'`);
    if (MODELS.includes(layer.class_name)) return this.model(layer, inputs[0]);
    if (layer.class_name === 'InputLayer') return inputs[0] ?? this.#input(layer);
    // The first layer of a Sequential model may say itself what it reads.
    const [input = this.#input(layer), ...others] = inputs;
    if (layer.class_name === 'Add') {
      return others.reduce((sum, other) => symbolic.add(nameOf(layer), sum, other), input);
    }
    if (others.length > 0) throw unsupported(`'${nameOf(layer)}' (${layer.class_name}) has several inputs`);
    const compute = UNARY.get(layer.class_name);
    if (compute === undefined) throw new TypeError(`${layer.class_name} has no meaning.`);
    return compute(input, layer, this);
  }

  #input(layer: LayerJson): Value {
    const { batch_input_shape: shape } = configOf(layer, CONFIGS.input);
    const [, height, width, channels] = shape;
    if (shape.length !== 4 || !height || !width || !channels) {
      throw unsupported(`its input is [${shape.join(', ')}], not [null, height, width, channels]`);
    }
    this.#picture ??= this.#makeInput({ height, width, channels });
    return this.#picture;
  }

  weight(name: string): ModelTensor {
    return tensorNamed(this.#weights, name);
  }

  activate(x: Value, activation: string, where: string): Value {
    switch (activation) {
      case 'linear':
        return x;
      case 'relu':
        return symbolic.clip(x, 0, Infinity);
      case 'relu6':
        return symbolic.clip(x, 0, 6);
      case 'softmax':
        this.softmax = true;
        return x;
      default:
        throw unsupported(`'${where}' has the activation '${activation.slice(0, 60)}'`);
    }
  }
}

/** What a layer with one input makes of it. */
type Unary = (x: Value, layer: LayerJson, reader: LayersReader) => Value;

const UNARY: ReadonlyMap<string, Unary> = new Map(
  Object.entries<Unary>({
    ZeroPadding2D: pad,
    Conv2D: convolution,
    DepthwiseConv2D: convolution,
    Dense: dense,
    BatchNormalization: batchNorm,
    ReLU: (x, layer) => symbolic.clip(x, 0, configOf(layer, CONFIGS.relu).max_value ?? Infinity),
    Activation: (x, layer, reader) =>
      reader.activate(x, configOf(layer, CONFIGS.activation).activation, nameOf(layer)),
    Softmax: (x, layer, reader) => reader.activate(x, 'softmax', nameOf(layer)),
    GlobalAveragePooling2D: averagePool,
    Reshape: reshape,
    Flatten: reshape,
    // Does nothing outside of training.
    Dropout: (x) => x,
  }),
);
const KNOWN = new Set([...MODELS, 'InputLayer', 'Add', ...UNARY.keys()]);

function pad(x: Value, layer: LayerJson): Value {
  const [[top, bottom], [left, right]] = configOf(layer, CONFIGS.padding).padding;
  return symbolic.pad(x, [top, bottom, left, right]);
}

function convolution(x: Value, layer: LayerJson, reader: LayersReader): Value {
  const where = nameOf(layer);
  const config = configOf(layer, CONFIGS.convolution);
  const depthwise = layer.class_name === 'DepthwiseConv2D';
  const [stride, strideAcross] = config.strides;
  if (stride !== strideAcross) throw unsupported(`'${where}' has two different strides`);
  const { shape, values } = reader.weight(`${where}/${depthwise ? 'depthwise_kernel' : 'kernel'}`);
  if (shape.length !== 4 || shape[0] !== config.kernel_size[0] || shape[1] !== config.kernel_size[1]) {
    throw invalid(`the kernel of '${where}' is [${shape.join(', ')}]`);
  }
  if (depthwise && shape[3] !== 1) throw unsupported(`'${where}' has more than one filter a channel`);
  const kernel = { shape: depthwise ? shape.slice(0, 3) : shape, values };
  const same = config.padding === 'same';
  const linear = symbolic.convolve(depthwise ? 'depthwise' : 'conv', where, x, kernel, stride, same);
  return biasAndActivation(linear, where, config, reader);
}

function dense(x: Value, layer: LayerJson, reader: LayersReader): Value {
  const where = nameOf(layer);
  const config = configOf(layer, CONFIGS.dense);
  const linear = symbolic.dense(where, x, reader.weight(`${where}/kernel`));
  return biasAndActivation(linear, where, config, reader);
}

function biasAndActivation(
  linear: Value,
  where: string,
  { use_bias: bias, activation }: Biased,
  reader: LayersReader,
): Value {
  const biased = bias === false ? linear : symbolic.shift(linear, reader.weight(`${where}/bias`).values);
  return reader.activate(biased, activation ?? 'linear', where);
}

function batchNorm(x: Value, layer: LayerJson, reader: LayersReader): Value {
  const where = nameOf(layer);
  const { epsilon, center, scale, axis } = configOf(layer, CONFIGS.batchNorm);
  const [last] = [axis ?? -1].flat();
  if (last !== -1 && last !== 3) throw unsupported(`'${where}' normalises another axis than the channels`);
  const constant = (value: number): Float32Array => new Float32Array(x.shape.channels).fill(value);
  const norm = {
    gamma: scale === false ? constant(1) : reader.weight(`${where}/gamma`).values,
    beta: center === false ? constant(0) : reader.weight(`${where}/beta`).values,
    mean: reader.weight(`${where}/moving_mean`).values,
    variance: reader.weight(`${where}/moving_variance`).values,
  };
  return symbolic.batchNorm(x, norm, epsilon);
}

function averagePool(x: Value, layer: LayerJson): Value {
  configOf(layer, CONFIGS.pooling);
  return symbolic.mean(nameOf(layer), x);
}

function reshape(x: Value, layer: LayerJson): Value {
  if (!symbolic.isPixel(x))
    throw unsupported(`'${nameOf(layer)}' (${layer.class_name}) reads more than one pixel`);
  return x;
}

function configOf<T>(layer: LayerJson, schema: z.ZodType<T>): T {
  return check(schema, layer.config, nameOf(layer));
}

function inboundValues(layer: LayerJson, values: ReadonlyMap<string, Value>): Value[] {
  const nodes = layer.inbound_nodes ?? [];
  if (nodes.length !== 1)
    throw unsupported(`'${nameOf(layer)}' is used ${nodes.length} times; only once is possible`);
  const references = check(
    z.array(referenceSchema).min(1).max(16),
    nodes[0],
    `inbound_nodes of '${nameOf(layer)}'`,
  );
  return references.map(([source]) => {
    const value = values.get(source);
    if (value === undefined)
      throw invalid(`'${nameOf(layer)}' reads '${source}', which is no layer before it`);
    return value;
  });
}

/** Models with one input and one output write [[name, 0, 0]], newer ones [name, 0, 0]. */
function soleReference(references: unknown, where: string): readonly [string, ...unknown[]] {
  const nested = z.union([z.array(referenceSchema).length(1), referenceSchema.transform((one) => [one])]);
  return check(nested, references, where)[0];
}
