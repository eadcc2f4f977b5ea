/**
 * Builds an ONNX model (https://onnx.ai, onnx.proto of IR version 8): nodes, constants, inputs and outputs, in the order
 * in which they are added. It knows the file format and no network.
 */
import { assertFills, bytesOf } from './bytes.ts';
import { bytes, encode, float, integer, message, packedIntegers, text, type Field } from './protobuf.ts';

/** IR 8 goes with operator set 17, which every runtime since mid-2022 reads. */
const IR_VERSION = 8;
const OPERATOR_SET = 17;

/** TensorProto.DataType. */
export const ELEMENT_TYPE = { float32: 1, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type ElementType = keyof typeof ELEMENT_TYPE;

export type Constant = Float32Array | Uint8Array | Int8Array | Int32Array;

/** AttributeProto.AttributeType. */
const ATTRIBUTE = { float: 1, int: 2, string: 3, ints: 7 } as const;

/** A float is written `{ float: x }`, since JavaScript does not tell 1.0 from 1. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** A name stands for a size known only at run time, such as the number of pictures. */
export type Dimension = number | string;

export class OnnxGraph {
  readonly #nodes: Field[] = [];
  readonly #constants: Field[] = [];
  readonly #inputs: Field[] = [];
  readonly #outputs: Field[] = [];

  /** Declares an input of the model. @returns its name. */
  input(name: string, type: ElementType, shape: readonly Dimension[]): string {
    this.#inputs.push(valueInfo(11, name, type, shape));
    return name;
  }

  /** Makes the value `name` an output of the model. */
  output(name: string, type: ElementType, shape: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(12, name, type, shape));
  }

  /**
   * Adds a constant, row-major and little-endian as in memory. Its bytes are read when the model is encoded.
   * @throws RangeError when the number of values is not that of the shape.
   */
  constant(name: string, shape: readonly number[], values: Constant): string {
    assertFills(name, shape, values);
    const description = [packedIntegers(1, shape), integer(2, elementType(values)), text(8, name)];
    this.#constants.push(message(5, [...description, bytes(9, bytesOf(values))]));
    return name;
  }

  /** Adds a node with one output, which carries the node's name. @returns that name. */
  node(
    operator: string,
    name: string,
    inputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>> = {},
  ): string {
    this.#nodes.push(
      message(1, [
        ...inputs.map((input) => text(1, input)),
        text(2, name),
        text(3, name),
        text(4, operator),
        ...Object.entries(attributes).map(([key, value]) => attribute(key, value)),
      ]),
    );
    return name;
  }

  /** @param metadata goes into the model's metadata_props, which runtimes show and ignore. */
  encode(name: string, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
    return encode([
      integer(1, IR_VERSION),
      text(2, 'headwater'),
      message(7, [...this.#nodes, text(2, name), ...this.#constants, ...this.#inputs, ...this.#outputs]),
      message(8, [integer(2, OPERATOR_SET)]),
      ...Object.entries(metadata).map(([key, value]) => message(14, [text(1, key), text(2, value)])),
    ]);
  }
}

function elementType(values: Constant): number {
  if (values instanceof Float32Array) return ELEMENT_TYPE.float32;
  if (values instanceof Int32Array) return ELEMENT_TYPE.int32;
  return values instanceof Int8Array ? ELEMENT_TYPE.int8 : ELEMENT_TYPE.uint8;
}

function valueInfo(field: number, name: string, type: ElementType, shape: readonly Dimension[]): Field {
  const dimensions = shape.map((size) =>
    message(1, [typeof size === 'number' ? integer(1, size) : text(2, size)]),
  );
  const tensorType = message(1, [integer(1, ELEMENT_TYPE[type]), message(2, dimensions)]);
  return message(field, [text(1, name), message(2, [tensorType])]);
}

function attribute(name: string, value: Attribute): Field {
  return message(5, [text(1, name), ...attributeValue(value)]);
}

function attributeValue(value: Attribute): readonly Field[] {
  if (typeof value === 'number') return [integer(3, value), integer(20, ATTRIBUTE.int)];
  if (typeof value === 'string') return [text(4, value), integer(20, ATTRIBUTE.string)];
  if ('float' in value) return [float(2, value.float), integer(20, ATTRIBUTE.float)];
  // onnx.proto is proto2 here: its readers take packed and unpacked alike, its own writer unpacked.
  return [...value.map((item) => integer(8, item)), integer(20, ATTRIBUTE.ints)];
}
