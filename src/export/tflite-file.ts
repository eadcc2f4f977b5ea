/**
 * Builds a TFLite model (schema version 3, https://ai.google.dev/edge/litert): operators and tensors of known shape, in
 * the order in which they are added. It knows the file format and no network.
 */
import { assertFills, bytesOf } from './bytes.ts';
import * as fb from './flatbuffer.ts';

const SCHEMA_VERSION = 3;
const IDENTIFIER = 'TFL3';
/** As the schema wants it of a buffer, so that runtimes can use weights where they lie. */
const BUFFER_ALIGNMENT = 16;
/** How a caller names the model's one computation; every converter writes it so. */
const SIGNATURE = 'serving_default';

/** TensorType. */
export const TYPE = { float32: 0, int32: 2, uint8: 3, int8: 9 } as const;
export type TensorType = keyof typeof TYPE;

/** BuiltinOperator. */
const OPERATOR = {
  add: 0, concatenation: 2, conv2d: 3, depthwiseConv2d: 4, dequantize: 6, floor: 8, fullyConnected: 9, mul: 18,
  relu: 19, reshape: 22,
  softmax: 25, pad: 34, mean: 40, sub: 41, cast: 53, maximum: 55, minimum: 57, sqrt: 75, quantize: 114, round: 116, hardSwish: 117,
} as const; // prettier-ignore
export type Operator = keyof typeof OPERATOR;

/** BuiltinOptions: which kind of table stands beside an operator. Operators that are not here have none. */
const OPTIONS: Partial<Record<Operator, number>> = {
  conv2d: 1, depthwiseConv2d: 2, fullyConnected: 8, softmax: 9, concatenation: 10, add: 11, reshape: 17,
  mul: 21, pad: 22, mean: 27, sub: 28, cast: 37,
}; // prettier-ignore

/** What integers stand for: scale · (integer − zero). */
export interface Quantisation {
  /** One, or one for each place along `axis`. */
  readonly scales: Float32Array;
  /** Where there are several scales it is that of all. */
  readonly zero: number;
  readonly axis?: number;
}

type Constant = Float32Array | Int32Array | Int8Array;

interface Tensor {
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Of a constant. */
  readonly values?: Constant;
  readonly quantisation?: Quantisation | undefined;
}

/** Of a value that is no float. */
export interface IntegerOutput {
  readonly type: TensorType;
  readonly quantisation: Quantisation;
}

export class TfliteFile {
  readonly #tensors = new Map<string, Tensor>();
  readonly #operators: fb.Reference[] = [];
  readonly #used: Operator[] = [];
  readonly #inputs: string[] = [];
  readonly #outputs: string[] = [];

  /** Declares an input of the model. @returns its name. */
  input(name: string, type: TensorType, shape: readonly number[], quantisation?: Quantisation): string {
    this.#inputs.push(name);
    return this.#tensor(name, { type, shape, quantisation });
  }

  /** Makes the value `name` an output of the model. */
  output(name: string): void {
    this.#outputs.push(name);
  }

  /**
   * Adds a constant. Its bytes are read when the model is encoded.
   * @throws RangeError when the number of values is not that of the shape.
   */
  constant(name: string, shape: readonly number[], values: Constant, quantisation?: Quantisation): string {
    assertFills(name, shape, values);
    return this.#tensor(name, { type: typeOf(values), shape, values, quantisation });
  }

  /**
   * Adds an operator with one output, which carries its name.
   * @param options fields of the operator's table in the schema, by place.
   * @param output floats where absent.
   * @returns the name.
   */
  operator(
    operator: Operator,
    name: string,
    inputs: readonly string[],
    shape: readonly number[],
    options: readonly fb.Field[] = [],
    output?: IntegerOutput,
  ): string {
    this.#tensor(name, { type: 'float32', ...output, shape });
    if (!this.#used.includes(operator)) this.#used.push(operator);
    const kind = OPTIONS[operator];
    this.#operators.push(
      fb.table(
        [0, fb.int32(this.#used.indexOf(operator))],
        [1, fb.int32s(inputs.map((input) => this.#index(input)))],
        [2, fb.int32s([this.#index(name)])],
        ...(kind === undefined ? [] : ([[3, fb.int8(kind)], [4, fb.table(...options)]] satisfies fb.Field[])), // prettier-ignore
      ),
    );
    return name;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** @throws RangeError when there is no value of that name. */
  shapeOf(name: string): readonly number[] {
    return this.#named(name).shape;
  }

  /** @returns what a value's integers stand for; undefined for floats. @throws RangeError as `shapeOf`. */
  integersOf(name: string): IntegerOutput | undefined {
    const { type, quantisation } = this.#named(name);
    return quantisation === undefined ? undefined : { type, quantisation };
  }

  /** @param metadata read by whoever knows the names; runtimes ignore it. */
  encode(description: string, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    // The first buffer is empty: values that are no constants have it.
    const buffers = [fb.table()];
    const keep = (content: Uint8Array): number =>
      buffers.push(fb.table([0, fb.bytes(content, BUFFER_ALIGNMENT)])) - 1;
    const subgraph = fb.table(
      [0, fb.list(Array.from(this.#tensors, ([name, tensor]) => tensorTable(name, tensor, keep)))],
      [1, fb.int32s(this.#inputs.map((name) => this.#index(name)))],
      [2, fb.int32s(this.#outputs.map((name) => this.#index(name)))],
      [3, fb.list(this.#operators)],
    );
    const notes = Object.entries(metadata).map(([name, value]) =>
      fb.table([0, fb.text(name)], [1, fb.int32(keep(new TextEncoder().encode(value)))]),
    );
    const model = fb.table(
      [0, fb.int32(SCHEMA_VERSION)],
      [1, fb.list(this.#used.map(operatorCode))],
      [2, fb.list([subgraph])],
      [3, fb.text(description)],
      [4, fb.list(buffers)],
      [6, fb.list(notes)],
      [7, fb.list([this.#signature()])],
    );
    return fb.encodeFlatbuffer(model, IDENTIFIER);
  }

  #signature(): fb.Reference {
    const named = (names: readonly string[]): fb.Reference =>
      fb.list(names.map((name) => fb.table([0, fb.text(name)], [1, fb.int32(this.#index(name))])));
    return fb.table([0, named(this.#inputs)], [1, named(this.#outputs)], [2, fb.text(SIGNATURE)]);
  }

  #tensor(name: string, tensor: Tensor): string {
    if (this.#tensors.has(name)) throw new RangeError(`There is a value '${name}' already.`);
    this.#tensors.set(name, tensor);
    return name;
  }

  #named(name: string): Tensor {
    const tensor = this.#tensors.get(name);
    if (tensor === undefined) throw new RangeError(`There is no value '${name}'.`);
    return tensor;
  }

  #index(name: string): number {
    this.#named(name);
    return [...this.#tensors.keys()].indexOf(name);
  }
}

function tensorTable(
  name: string,
  { type, shape, values, quantisation }: Tensor,
  keep: (content: Uint8Array) => number,
): fb.Reference {
  const buffer = values === undefined ? 0 : keep(bytesOf(values));
  const integers: readonly fb.Field[] =
    quantisation === undefined ? [] : [[4, quantisationTable(quantisation)]];
  return fb.table(
    [0, fb.int32s(shape)],
    [1, fb.int8(TYPE[type])],
    [2, fb.int32(buffer)],
    [3, fb.text(name)],
    ...integers,
  );
}

function quantisationTable({ scales, zero, axis = 0 }: Quantisation): fb.Reference {
  const zeros = Array.from(scales, () => zero);
  return fb.table([2, fb.float32s(scales)], [3, fb.int64s(zeros)], [6, fb.int32(axis)]);
}

function typeOf(values: Constant): TensorType {
  if (values instanceof Float32Array) return 'float32';
  return values instanceof Int8Array ? 'int8' : 'int32';
}

/** The operator stands twice: readers before 2020 know only the first place, where 127 is the largest. */
function operatorCode(operator: Operator): fb.Reference {
  const code = OPERATOR[operator];
  return fb.table([0, fb.int8(code)], [2, fb.int32(1)], [3, fb.int32(code)]);
}
