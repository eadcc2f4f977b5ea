/**
 * A Teachable Machine export becomes a backbone and a head. The site's classifier is a MobileNet whose last feature map
 * is averaged, a layer of 100 ReLUs and a softmax layer without bias. The plan ends with the ReLUs; the code is the
 * averaged map (on which further classes are taught) and the ReLUs, of which the head's first rows are linear maps.
 */
import * as z from 'zod';
import type { MapShape } from '../../src/backbone/index.ts';
import type { Head } from '../../src/head/index.ts';
import { labelFault, MAX_CLASSES } from '../../src/head/limits.ts';
import { importedHead } from '../../src/learn/imported.ts';
import { encodeBackbone, type BackboneFiles } from './backbone-files.ts';
import { PlanEmitter } from './emit.ts';
import { readLayersModel } from './layers/model.ts';
import { invalid, unsupported } from './model-error.ts';
import type { ModelFiles } from './model-files.ts';
import { affine, inputValue, isIdentity, type Linear, type Value } from './symbolic.ts';
import { priorOfMean } from './prior.ts';
import { readWeights } from './weights.ts';

/** The library feeds pixels / 127 − 1 (teachablemachine/image, src/utils/tf.ts), in training and after. */
export const PIXEL_SCALE = 127;
/** What the same file makes grey pictures with. */
export const LUMA = [0.2989, 0.587, 0.114] as const;

const metadataSchema = z.object({
  labels: z.array(z.string()).min(2).max(MAX_CLASSES),
  modelName: z.string().optional(),
});

export interface ImportedClassifier extends BackboneFiles {
  readonly head: Head;
  readonly labels: readonly string[];
}

/**
 * @param metadataJson the parsed metadata.json.
 * @param pixelScale pixels / pixelScale − 1 is what the model reads.
 * @throws ModelError
 */
export function importTeachableMachine(
  files: ModelFiles,
  metadataJson: unknown,
  pixelScale = PIXEL_SCALE,
): ImportedClassifier {
  const metadata = readMetadata(metadataJson);
  if (files.format === 'graph-model')
    throw unsupported('it is a graph model; exports of Teachable Machine are layers models');
  const weights = readWeights(files.manifest, files.groups);
  const { output, softmax } = readLayersModel(files.topology, weights, (shape) =>
    pictureValue(shape, 1 / pixelScale, -1),
  );
  const { layer, codes } = splitClassifier(output, softmax, metadata.labels.length);
  const emitter = new PlanEmitter();
  const steps = codes.map((value) => emitter.exact(value));
  const [features, hidden] = steps.map((step, i) => ({
    name: i === 0 ? 'features' : 'dense',
    step,
    channels: codes[i].shape.channels,
  }));
  const taps = hidden === undefined ? [features] : [features, hidden];
  const backbone = encodeBackbone(emitter, {
    name: `teachable-machine-${files.sha256.slice(0, 8)}`,
    version: files.sha256.slice(0, 12),
    input: pictureShape(codes[0]),
    taps,
    title: `the network of the Teachable Machine model ${JSON.stringify(metadata.modelName ?? 'untitled')}`,
    source: `model.json, SHA-256 \`${files.sha256}\``,
  });
  const { name, version, weightsSha256 } = backbone.plan;
  const head = importedHead({
    backbone: { name, version, weightsSha256 },
    taps: taps.map((tap) => tap.name),
    labels: metadata.labels,
    weights: layer.weights,
    bias: layer.bias,
    prior: priorOfMean(codes[0]),
    hidden: hidden?.channels ?? 0,
  });
  return { ...backbone, head, labels: metadata.labels };
}

function readMetadata(json: unknown): z.infer<typeof metadataSchema> {
  const result = metadataSchema.safeParse(json);
  if (!result.success) throw invalid(`metadata.json: ${z.prettifyError(result.error)}`);
  const fault = labelFault(result.data.labels);
  if (fault !== undefined) throw invalid(`metadata.json: ${fault}`);
  return result.data;
}

/** A picture, in colour or in grey, as its model reads it: scale · pixels + shift. */
export function pictureValue({ height, width, channels }: MapShape, scale: number, shift: number): Value {
  if (channels !== 1 && channels !== 3) throw unsupported(`its pictures have ${channels} channels`);
  const input = inputValue({ height, width, channels: 3 }, channels === 1 ? LUMA : undefined);
  const constant = (value: number): Float64Array => new Float64Array(channels).fill(value);
  return affine(input, constant(scale), constant(shift));
}

/** The softmax layer, and the values that make up the code: the averaged map and, where there is one, the layer of ReLUs. */
function splitClassifier(
  output: Value,
  softmax: boolean,
  labels: number,
): { layer: { weights: Float32Array; bias: Float64Array }; codes: Value[] } {
  const { root, before, after, bend } = output;
  const linear =
    root.op === 'dense' && bend.kind === 'none' && isIdentity(after) && before.scale.every((s) => s === 1);
  if (!softmax || !linear) throw unsupported('it does not end with a fully connected softmax layer');
  if (output.shape.channels !== labels) {
    throw invalid(`it has ${output.shape.channels} classes, metadata.json names ${labels}`);
  }
  const hidden = root.input;
  const features = pooledBelow(hidden);
  const layer = { weights: rowsOf(root), bias: before.shift };
  return { layer, codes: features === hidden ? [features] : [features, hidden] };
}

/** The averaged feature map that a chain of fully connected layers begins with. */
function pooledBelow(value: Value): Value {
  for (let at = value; ;) {
    if (at.root.op === 'mean') return at;
    if (at.root.op !== 'dense') throw unsupported('its fully connected layers read no averaged feature map');
    at = at.root.input;
  }
}

/** [in, out] → one row per class. */
function rowsOf({ shape, weights }: Linear): Float32Array {
  const [ins, outs] = shape;
  return Float32Array.from(weights, (_, at) => weights[(at % ins) * outs + Math.floor(at / ins)]);
}

function pictureShape(value: Value): MapShape {
  for (let at = value; ;) {
    const { root } = at;
    if (root.op === 'input') return at.shape;
    at = root.op === 'add' ? root.a : root.input;
  }
}
