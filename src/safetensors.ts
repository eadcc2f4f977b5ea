/**
 * Reads and writes safetensors files: an 8-byte little-endian header length, a JSON header, and the tensors' raw
 * little-endian bytes (https://github.com/huggingface/safetensors#format). The reader trusts nothing: every size,
 * offset and count is bounded before it is used, and the tensors must cover the data without gap or overlap, so that
 * a file cannot carry bytes nobody looks at. The writer is deterministic: equal content gives equal bytes.
 */
import { HeadwaterError } from './errors.ts';
import { parseJsonHeader } from './safetensors-json.ts';

/** The types that Headwater reads; the format knows more, which are refused. */
const DTYPES = ['F64', 'F32', 'F16', 'I64', 'I32', 'I16', 'U16', 'I8', 'U8'] as const;
export type Dtype = (typeof DTYPES)[number];

// prettier-ignore
const BYTES_PER_ELEMENT: Readonly<Record<Dtype, number>> = {
  F64: 8, F32: 4, F16: 2, I64: 8, I32: 4, I16: 2, U16: 2, I8: 1, U8: 1,
};

export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Little-endian elements, row-major. A view into the file it was read from. */
  readonly bytes: Uint8Array;
}

export interface SafetensorsLimits {
  readonly fileBytes: number;
  readonly headerBytes: number;
  readonly tensors: number;
}

export interface SafetensorsFile {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, Tensor>;
}

/** Enough for any backbone or head of ours; callers that expect less should say so. */
export const DEFAULT_LIMITS: SafetensorsLimits = {
  fileBytes: 64 * 1024 * 1024,
  headerBytes: 4 * 1024 * 1024,
  tensors: 4096,
};

const LENGTH_BYTES = 8;
const HEADER_ALIGNMENT_BYTES = 8;
const MAX_RANK = 8;
const METADATA_KEY = '__metadata__';
/** In the header: a key, an object of three keys, two lists. */
const PARTS_PER_TENSOR = 7;
/** The header and its metadata; heads have a handful of keys. */
const OTHER_PARTS = 1000;

/**
 * Reads a safetensors file without copying its tensors.
 * @param bytes the whole file. The tensors returned are views into it.
 * @throws HeadwaterError `file_corrupt` when anything about the file is not as the format demands or beyond `limits`.
 */
export function readSafetensors(
  bytes: Uint8Array,
  limits: SafetensorsLimits = DEFAULT_LIMITS,
): SafetensorsFile {
  const headerBytes = readHeaderLength(bytes, limits);
  const header = parseJsonHeader(
    bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes),
    limits.tensors * PARTS_PER_TENSOR + OTHER_PARTS,
  );
  const data = bytes.subarray(LENGTH_BYTES + headerBytes);
  const names = [...header.keys()].filter((name) => name !== METADATA_KEY);
  if (names.length > limits.tensors) {
    throw corrupt(`it holds ${names.length} tensors, more than the ${limits.tensors} allowed`);
  }
  const tensors = new Map<string, Tensor>();
  const spans: Span[] = [];
  for (const name of names) {
    const { tensor, span } = readEntry(name, header.get(name), data);
    tensors.set(name, tensor);
    spans.push(span);
  }
  checkCoverage(spans, data.length);
  return { metadata: readMetadata(header.get(METADATA_KEY)), tensors };
}

/**
 * Writes a safetensors file, the same bytes for the same content: metadata keys and tensors in the order of their
 * names' code units, the header padded with spaces so that the data begin at a multiple of 8.
 * @throws RangeError when a tensor's bytes are not as many as its shape and type need, or a name is reserved.
 */
export function writeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header = new Map<string, unknown>();
  const metadataKeys = Object.keys(metadata).sort();
  if (metadataKeys.length > 0) {
    header.set(METADATA_KEY, new Map(metadataKeys.map((key) => [key, metadata[key]])));
  }
  let offset = 0;
  const names = [...tensors.keys()].sort();
  for (const name of names) {
    const { dtype, shape, bytes } = tensors.get(name)!;
    if (name === METADATA_KEY) throw new RangeError(`A tensor cannot be named ${METADATA_KEY}.`);
    if (bytes.length !== elementCount(shape) * BYTES_PER_ELEMENT[dtype]) {
      throw new RangeError(
        `Tensor '${name}' has ${bytes.length} bytes, not those of ${dtype} [${shape.join(', ')}].`,
      );
    }
    header.set(name, new Map<string, unknown>([['dtype', dtype], ['shape', shape], ['data_offsets', [offset, offset + bytes.length]]])); // prettier-ignore
    offset += bytes.length;
  }
  const json = new TextEncoder().encode(stringifyOrdered(header));
  const headerBytes = Math.ceil(json.length / HEADER_ALIGNMENT_BYTES) * HEADER_ALIGNMENT_BYTES;
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(json, LENGTH_BYTES);
  file.fill(0x20, LENGTH_BYTES + json.length, LENGTH_BYTES + headerBytes);
  let at = LENGTH_BYTES + headerBytes;
  for (const name of names) {
    const { bytes } = tensors.get(name)!;
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/**
 * The elements of an F32 tensor: a view where the bytes are aligned, else a copy.
 * @throws HeadwaterError `file_corrupt` for another type.
 */
export function asFloat32(tensor: Tensor, name: string): Float32Array {
  expectDtype(tensor, name, 'F32');
  const bytes = aligned(tensor.bytes, Float32Array.BYTES_PER_ELEMENT);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / Float32Array.BYTES_PER_ELEMENT);
}

/**
 * The elements of an F16 tensor: a view where the bytes are aligned, else a copy.
 * @throws HeadwaterError `file_corrupt` for another type.
 */
export function asFloat16(tensor: Tensor, name: string): Float16Array {
  expectDtype(tensor, name, 'F16');
  const bytes = aligned(tensor.bytes, Float16Array.BYTES_PER_ELEMENT);
  return new Float16Array(bytes.buffer, bytes.byteOffset, bytes.length / Float16Array.BYTES_PER_ELEMENT);
}

/**
 * The elements of an F16 or F32 tensor in its own precision: a view where the bytes are aligned, else a copy.
 * @throws HeadwaterError `file_corrupt` for any other type.
 */
export function asFloats(tensor: Tensor, name: string): Float32Array | Float16Array {
  return tensor.dtype === 'F16' ? asFloat16(tensor, name) : asFloat32(tensor, name);
}

/** @returns the numbers themselves where they are in single precision, else widened ones. */
export function inSinglePrecision(values: Float32Array | Float16Array): Float32Array {
  return values instanceof Float32Array ? values : new Float32Array(values);
}

/** A tensor of the array's elements, not copied. Every host we run on is little-endian, as the format is. */
export function tensorOf(array: Float32Array | Float16Array, shape: readonly number[]): Tensor {
  return {
    dtype: array instanceof Float32Array ? 'F32' : 'F16',
    shape,
    bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

function corrupt(what: string): HeadwaterError {
  return new HeadwaterError('file_corrupt', `The safetensors file is not valid: ${what}.`);
}

function readHeaderLength(bytes: Uint8Array, limits: SafetensorsLimits): number {
  if (bytes.length > limits.fileBytes) {
    throw corrupt(`it has ${bytes.length} bytes, more than the ${limits.fileBytes} allowed`);
  }
  if (bytes.length < LENGTH_BYTES) throw corrupt(`it has only ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(limits.headerBytes)) {
    throw corrupt(`its header claims ${length} bytes, more than the ${limits.headerBytes} allowed`);
  }
  if (length > BigInt(bytes.length - LENGTH_BYTES)) {
    throw corrupt(`its header claims ${length} bytes, but only ${bytes.length - LENGTH_BYTES} follow`);
  }
  return Number(length);
}

function readEntry(name: string, entry: unknown, data: Uint8Array): { tensor: Tensor; span: Span } {
  const where = `tensor ${JSON.stringify(name.slice(0, 100))}`;
  if (!isRecord(entry)) throw corrupt(`${where} is described by no object`);
  if (Object.keys(entry).some((key) => key !== 'dtype' && key !== 'shape' && key !== 'data_offsets')) {
    throw corrupt(`${where} has fields besides dtype, shape and data_offsets`);
  }
  const dtype = readDtype(entry['dtype'], where);
  const shape = readCounts(entry['shape'], `the shape of ${where}`);
  if (shape.length > MAX_RANK) throw corrupt(`${where} has more than ${MAX_RANK} dimensions`);
  const offsets = readCounts(entry['data_offsets'], `data_offsets of ${where}`);
  const [begin, end] = offsets;
  if (offsets.length !== 2 || begin > end || end > data.length) {
    throw corrupt(`data_offsets of ${where} lie outside the ${data.length} bytes of data`);
  }
  // A product beyond 2^53 loses precision but stays far above any length, so the comparison still refuses it.
  if (elementCount(shape) * BYTES_PER_ELEMENT[dtype] !== end - begin) {
    throw corrupt(`${where} has ${end - begin} bytes, not those of ${dtype} [${shape.join(', ')}]`);
  }
  return { tensor: { dtype, shape, bytes: data.subarray(begin, end) }, span: { name, begin, end } };
}

function readDtype(value: unknown, where: string): Dtype {
  const dtype = DTYPES.find((known) => known === value);
  if (dtype === undefined) throw corrupt(`${where} is of an unknown type (known: ${DTYPES.join(', ')})`);
  return dtype;
}

function readCounts(value: unknown, where: string): number[] {
  if (!Array.isArray(value)) throw corrupt(`${where} is no list`);
  return value.map((item: unknown) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item) || item < 0 || Object.is(item, -0)) {
      throw corrupt(`${where} holds something other than whole numbers from 0 up`);
    }
    return item;
  });
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) throw corrupt('its metadata are no object');
  const metadata: Record<string, string> = {};
  // Without a prototype a key that is missing is missing, even 'constructor'.
  Object.setPrototypeOf(metadata, null);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      throw corrupt(`its metadata ${JSON.stringify(key.slice(0, 100))} is no string`);
    metadata[key] = text;
  }
  return metadata;
}

function checkCoverage(spans: Span[], dataBytes: number): void {
  let at = 0;
  for (const span of spans.sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (span.begin < at) throw corrupt(`tensor ${JSON.stringify(span.name.slice(0, 100))} overlaps another`);
    if (span.begin > at) throw corrupt(`no tensor covers the bytes from ${at} to ${span.begin} of its data`);
    at = span.end;
  }
  if (at !== dataBytes) throw corrupt(`no tensor covers the bytes from ${at} to ${dataBytes} of its data`);
}

/** JSON.stringify would reorder keys that look like numbers; the maps keep the order they were filled in. */
function stringifyOrdered(value: unknown): string {
  if (!(value instanceof Map)) return JSON.stringify(value);
  const entries = Array.from<[unknown, unknown]>(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${stringifyOrdered(item)}`,
  );
  return `{${entries.join(',')}}`;
}

function expectDtype(tensor: Tensor, name: string, dtype: Dtype): void {
  if (tensor.dtype !== dtype) throw corrupt(`tensor '${name}' is ${tensor.dtype} where ${dtype} is expected`);
}

function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  // Not slice(): a host may hand in Node's Buffer, which makes that a view.
  return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
