/**
 * A small reader for GGUF files (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): metadata and unquantised
 * tensors, which is what the backbone's source holds. Everything is bounded by the file before it is used.
 */

interface GgufTensor {
  /** Outermost dimension first (the file lists them the other way round). */
  readonly shape: readonly number[];
  /** Row-major, widened to single precision. */
  readonly values: Float32Array;
}

export interface GgufFile {
  readonly metadata: ReadonlyMap<string, string | number | boolean>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

const MAGIC = 0x46554747;
const VERSION = 3;
const DEFAULT_ALIGNMENT_BYTES = 32;
const MAX_ENTRIES = 10_000;
const MAX_DIMENSIONS = 4;
const TYPE_F32 = 0;
const TYPE_F16 = 1;

/** @throws Error saying what is wrong and where when the file is not GGUF version 3 or uses types besides F16 and F32. */
export function readGguf(bytes: Uint8Array): GgufFile {
  const cursor = new Cursor(bytes);
  if (cursor.u32() !== MAGIC) throw new Error('GGUF: the file does not begin with GGUF.');
  const version = cursor.u32();
  if (version !== VERSION) throw new Error(`GGUF: version ${version}, but only ${VERSION} is read.`);
  const tensorCount = cursor.count(MAX_ENTRIES);
  const metadataCount = cursor.count(MAX_ENTRIES);
  const metadata = new Map<string, string | number | boolean>();
  for (let i = 0; i < metadataCount; i++) metadata.set(cursor.string(), cursor.value(cursor.u32()));
  const infos = Array.from({ length: tensorCount }, () => readTensorInfo(cursor));
  const alignment = Number(metadata.get('general.alignment') ?? DEFAULT_ALIGNMENT_BYTES);
  const data = bytes.subarray(Math.ceil(cursor.offset / alignment) * alignment);
  return { metadata, tensors: new Map(infos.map((info) => [info.name, readTensor(info, data)])) };
}

interface TensorInfo {
  readonly name: string;
  readonly shape: number[];
  readonly type: number;
  readonly offset: number;
}

function readTensorInfo(cursor: Cursor): TensorInfo {
  const name = cursor.string();
  const dimensions = cursor.u32();
  if (dimensions > MAX_DIMENSIONS) throw new Error(`GGUF: tensor ${name} has ${dimensions} dimensions.`);
  const shape = Array.from({ length: dimensions }, () => cursor.count(Number.MAX_SAFE_INTEGER)).toReversed();
  return { name, shape, type: cursor.u32(), offset: cursor.count(Number.MAX_SAFE_INTEGER) };
}

function readTensor(info: TensorInfo, data: Uint8Array): GgufTensor {
  const { name, shape, type, offset } = info;
  if (type !== TYPE_F32 && type !== TYPE_F16)
    throw new Error(`GGUF: tensor ${name} has the unread type ${type}.`);
  const elements = shape.reduce((product, side) => product * side, 1);
  const end = offset + elements * (type === TYPE_F32 ? 4 : 2);
  if (!(end <= data.length)) throw new Error(`GGUF: tensor ${name} ends beyond the file.`);
  // Not slice(): Node's Buffer makes that a view.
  const copy = new Uint8Array(data.subarray(offset, end)).buffer;
  const values = type === TYPE_F32 ? new Float32Array(copy) : Float32Array.from(new Float16Array(copy));
  return { shape, values };
}

class Cursor {
  offset = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A 64-bit number that must not exceed `max`. */
  count(max: number): number {
    const value = this.#view.getBigUint64(this.#advance(8), true);
    if (value > BigInt(max))
      throw new Error(`GGUF: the count ${value} before byte ${this.offset} is above ${max}.`);
    return Number(value);
  }

  string(): string {
    const length = this.count(this.#bytes.length);
    const start = this.#advance(length);
    return new TextDecoder('utf-8', { fatal: true }).decode(this.#bytes.subarray(start, start + length));
  }

  /** A metadata value of one of the scalar types that the backbone's source uses. */
  value(type: number): string | number | boolean {
    switch (type) {
      case 4:
        return this.u32();
      case 5:
        return this.#view.getInt32(this.#advance(4), true);
      case 6:
        return this.#view.getFloat32(this.#advance(4), true);
      case 7:
        return this.#view.getUint8(this.#advance(1)) !== 0;
      case 8:
        return this.string();
      default:
        throw new Error(`GGUF: metadata of type ${type} before byte ${this.offset} is not read.`);
    }
  }

  #advance(bytes: number): number {
    const start = this.offset;
    if (start + bytes > this.#bytes.length) throw new Error(`GGUF: the file ends at byte ${start}.`);
    this.offset = start + bytes;
    return start;
  }
}
