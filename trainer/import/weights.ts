/**
 * Weights as TensorFlow.js stores them: a manifest in model.json that names tensors in the order in which they lie in
 * the joined shards, some of them quantised (tfjs-core, io/types.ts). Every size is checked before anything is made of it.
 */
import * as z from 'zod';
import { MAX_NAME_LENGTH, MAX_RANK, MAX_SHARDS, MAX_SIDE, MAX_WEIGHT_BYTES, MAX_WEIGHTS } from './limits.ts';
import { invalid, unsupported } from './model-error.ts';

const name = z.string().min(1).max(MAX_NAME_LENGTH);

const quantization = z.object({
  dtype: z.enum(['uint8', 'uint16', 'float16']),
  scale: z.number().optional(),
  min: z.number().optional(),
});

const weight = z.object({
  name,
  shape: z.array(z.int().min(0).max(MAX_SIDE)).max(MAX_RANK),
  dtype: z.string().max(32),
  quantization: quantization.optional(),
});

export const manifestSchema = z
  .array(
    z.object({
      paths: z.array(z.string().min(1).max(1024)).min(1).max(MAX_SHARDS),
      weights: z.array(weight).max(MAX_WEIGHTS),
    }),
  )
  .min(1)
  .max(MAX_SHARDS);

export type Manifest = z.infer<typeof manifestSchema>;
type WeightEntry = z.infer<typeof weight>;

/** A tensor of the model. Whole numbers (axes, paddings, shapes) come as numbers too. */
export interface ModelTensor {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

const BYTES_PER_ELEMENT: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  bool: 1,
  uint8: 1,
  uint16: 2,
  float16: 2,
};

/** Paths of all shards, group by group. */
export function shardPaths(manifest: Manifest): string[] {
  const paths = manifest.flatMap((group) => group.paths);
  if (paths.length > MAX_SHARDS) throw invalid(`it has ${paths.length} shards; the most are ${MAX_SHARDS}`);
  if (new Set(paths).size !== paths.length) throw invalid('its manifest names a shard twice');
  return paths;
}

/**
 * Bytes that each group's shards must hold together.
 * @throws ModelError before any of it is read, when a size is beyond the caps or a type unknown.
 */
export function groupBytes(manifest: Manifest): number[] {
  const sizes = manifest.map((group) => group.weights.reduce((sum, entry) => sum + entryBytes(entry), 0));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > MAX_WEIGHT_BYTES) {
    throw invalid(`its weights take ${total} bytes; the most are ${MAX_WEIGHT_BYTES}`);
  }
  return sizes;
}

/**
 * @param groups the joined shards of each group of the manifest.
 * @returns the tensors by name, dequantised.
 * @throws ModelError when sizes don't agree, a name occurs twice, or a number is not finite.
 */
export function readWeights(
  manifest: Manifest,
  groups: readonly Uint8Array[],
): ReadonlyMap<string, ModelTensor> {
  const sizes = groupBytes(manifest);
  const tensors = new Map<string, ModelTensor>();
  for (const [index, { weights, paths }] of manifest.entries()) {
    const bytes = groups[index];
    if (bytes.length !== sizes[index]) {
      const described = `where the manifest describes ${sizes[index]}`;
      throw invalid(`${paths.join(', ')} hold ${bytes.length} bytes ${described}`);
    }
    let at = 0;
    for (const entry of weights) {
      if (tensors.has(entry.name)) throw invalid(`two weights are named '${entry.name}'`);
      const values = decode(entry, bytes.slice(at, (at += entryBytes(entry))));
      if (!values.every(Number.isFinite))
        throw invalid(`weight '${entry.name}' holds a number that is not finite`);
      tensors.set(entry.name, { shape: entry.shape, values });
    }
  }
  if (tensors.size > MAX_WEIGHTS) throw invalid(`it has more than ${MAX_WEIGHTS} weights`);
  return tensors;
}

/** @throws ModelError when there is none of that name. */
export function tensorNamed(tensors: ReadonlyMap<string, ModelTensor>, name: string): ModelTensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw invalid(`the manifest has no weight '${name}'`);
  return tensor;
}

function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function entryBytes({ name, shape, dtype, quantization }: WeightEntry): number {
  if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') {
    throw unsupported(`weight '${name}' is of type '${dtype}'`);
  }
  const bytes = elementCount(shape) * BYTES_PER_ELEMENT[quantization?.dtype ?? dtype];
  if (bytes > MAX_WEIGHT_BYTES) {
    throw invalid(
      `weight '${name}' of shape [${shape.join(', ')}] takes more than ${MAX_WEIGHT_BYTES} bytes`,
    );
  }
  return bytes;
}

/** `bytes` begin a buffer of their own, so that any element type may view them. */
function decode({ name, dtype, quantization }: WeightEntry, { buffer }: Uint8Array): Float32Array {
  if (quantization === undefined) {
    if (dtype === 'float32') return new Float32Array(buffer);
    return Float32Array.from(dtype === 'int32' ? new Int32Array(buffer) : new Uint8Array(buffer));
  }
  if (quantization.dtype === 'float16') return Float32Array.from(new Float16Array(buffer));
  const { scale, min } = quantization;
  if (scale === undefined || min === undefined)
    throw invalid(`weight '${name}' is quantised without scale and min`);
  const steps = quantization.dtype === 'uint8' ? new Uint8Array(buffer) : new Uint16Array(buffer);
  return Float32Array.from(steps, (step) => step * scale + min);
}
