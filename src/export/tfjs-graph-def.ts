/**
 * Builds a TensorFlow.js graph model (model.json and its shards): TensorFlow nodes as protobuf's JSON mapping writes
 * them, constants in a weights manifest. It knows the file format and no network.
 */

import { assertFills, bytesOf, joined } from './bytes.ts';

export type AttributeValue = string | boolean | { readonly type: string } | { readonly float: number } | readonly number[] | readonly string[] | number; // prettier-ignore

export type Attributes = Readonly<Record<string, AttributeValue>>;

export interface TfjsModel {
  /** The contents of model.json. */
  readonly json: Record<string, unknown>;
  /** Shards by file name, in the manifest's order. */
  readonly shards: ReadonlyMap<string, Uint8Array>;
}

interface Node {
  readonly name: string;
  readonly op: string;
  readonly input?: readonly string[];
  readonly attr: Record<string, unknown>;
}

/** Browsers cache files of this size well; TensorFlow's converter writes them so. */
const SHARD_BYTES = 4 * 1024 * 1024;
const FLOAT = { type: 'DT_FLOAT' };
const INT32 = { type: 'DT_INT32' };

export class TfjsGraph {
  readonly #nodes: Node[] = [];
  readonly #weights: {
    name: string;
    shape: readonly number[];
    dtype: string;
    values: Float32Array | Int32Array;
  }[] = [];
  readonly #signature: Record<'inputs' | 'outputs', Record<string, unknown>> = { inputs: {}, outputs: {} };

  /** Declares a float input, −1 standing for a size known only at run time. @returns its name. */
  input(name: string, shape: readonly number[]): string {
    this.#signature.inputs[name] = tensorInfo(name, shape);
    this.#nodes.push({ name, op: 'Placeholder', attr: { shape: { shape: shapeJson(shape) }, dtype: FLOAT } });
    return name;
  }

  output(name: string, shape: readonly number[]): void {
    this.#signature.outputs[name] = tensorInfo(name, shape);
  }

  /** @throws RangeError when the number of values is not that of the shape. */
  constant(name: string, shape: readonly number[], values: Float32Array | Int32Array): string {
    assertFills(name, shape, values);
    const dtype = values instanceof Float32Array ? FLOAT : INT32;
    const tensor = { dtype: dtype.type, tensorShape: shapeJson(shape) };
    this.#nodes.push({ name, op: 'Const', attr: { dtype, value: { tensor } } });
    this.#weights.push({ name, shape, dtype: values instanceof Float32Array ? 'float32' : 'int32', values });
    return name;
  }

  /** Adds a node, on floats. @returns its name. */
  node(op: string, name: string, input: readonly string[], attributes: Attributes = {}): string {
    const attr: Record<string, unknown> = { T: FLOAT };
    for (const [key, value] of Object.entries(attributes)) attr[key] = attributeJson(value);
    this.#nodes.push({ name, op, input, attr });
    return name;
  }

  build(metadata: Readonly<Record<string, unknown>>): TfjsModel {
    const bytes = joined(this.#weights.map(({ values }) => bytesOf(values)));
    const count = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
    const shards = new Map<string, Uint8Array>();
    for (let i = 0; i < count; i++) {
      shards.set(
        `group1-shard${i + 1}of${count}.bin`,
        bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES),
      );
    }
    const weights = this.#weights.map(({ name, shape, dtype }) => ({ name, shape, dtype }));
    const json = {
      format: 'graph-model',
      generatedBy: 'headwater',
      convertedBy: null,
      signature: this.#signature,
      userDefinedMetadata: metadata,
      modelTopology: { node: this.#nodes, library: {}, versions: { producer: 440 } },
      weightsManifest: [{ paths: [...shards.keys()], weights }],
    };
    return { json, shards };
  }
}

function shapeJson(shape: readonly number[]): unknown {
  return { dim: shape.map((size) => ({ size: String(size) })) };
}

function tensorInfo(name: string, shape: readonly number[]): unknown {
  return { name: `${name}:0`, dtype: FLOAT.type, tensorShape: shapeJson(shape) };
}

/** Protobuf's JSON: 64-bit integers are strings, bytes are base64. */
function attributeJson(value: AttributeValue): unknown {
  if (typeof value === 'string') return { s: btoa(value) };
  if (typeof value === 'boolean') return { b: value };
  if (typeof value === 'number') return { i: String(value) };
  if ('type' in value) return value;
  if ('float' in value) return { f: value.float };
  const texts = value.map(String);
  return { list: typeof value[0] === 'number' ? { i: texts } : { s: texts.map(btoa) } };
}
