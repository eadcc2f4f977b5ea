/**
 * Head files: safetensors with the tensors of a head and its metadata. Equal heads give equal bytes; a file that is not
 * whole, not consistent, or does not compute what its golden vectors say is refused.
 */
import { HeadwaterError } from '../errors.ts';
import { readSafetensors, tensorOf, writeSafetensors, asFloat16, asFloat32 } from '../safetensors.ts';
import type { SafetensorsFile, Tensor } from '../safetensors.ts';
import { goldenFault } from './golden.ts';
import type { GoldenVector, Head } from './head.ts';
import { HEAD_FILE_LIMITS, MAX_CODE_LENGTH, MAX_DIRECTIONS, MAX_GOLDEN } from './limits.ts';
import { readTail, TAIL_PREFIX, writeTail } from './tail-tensors.ts';
import { headInvalid, readMetadata, writeMetadata } from './metadata.ts';

/** Beyond any real mean, weight or probability, and far from where sums of them would overflow. */
const LARGEST_NUMBER = 1e6;
const SMALLEST_DEVIATION = 1e-12;

const TENSORS = [
  'bias',
  'deviation',
  'golden.codes',
  'golden.probabilities',
  'mean',
  'novelty.directions',
  'variances',
  'weights',
];

/** @returns the head as a file, the same bytes for the same head on every host. */
export function writeHead(head: Head): Uint8Array {
  const d = head.codeLength;
  const classes = head.labels.length;
  const directions = Float16Array.from(head.novelty.directions);
  const golden = head.golden.length;
  return writeSafetensors(
    new Map<string, Tensor>([
      ['mean', tensorOf(head.mean, [d])],
      ['deviation', tensorOf(head.deviation, [d])],
      ['weights', tensorOf(head.weights, [classes, d])],
      ['bias', tensorOf(head.bias, [classes])],
      ['novelty.directions', tensorOf(directions, [directions.length / d, d])],
      ['golden.codes', tensorOf(joined(head.golden.map(({ code }) => code)), [golden, d])],
      [
        'golden.probabilities',
        tensorOf(joined(head.golden.map((each) => each.probabilities)), [golden, classes]),
      ],
      ...optional('variances', head.variances),
      ...writeTail(head.tail),
    ]),
    writeMetadata(head),
  );
}

/**
 * Reads and checks a head. Its tensors may be views into `bytes`, which must then not be changed.
 * @throws HeadwaterError `head_too_large` beyond a cap, `head_invalid` naming what else is wrong.
 * @example
 * const head = readHead(bytes);
 * assertCompatible(head, backbone.plan);
 */
export function readHead(bytes: Uint8Array): Head {
  const { metadata, tensors } = readFile(bytes);
  const { tailFrom, ...words } = readMetadata(metadata);
  const strange = [...tensors.keys()].find(
    (name) => !TENSORS.includes(name) && !name.startsWith(TAIL_PREFIX),
  );
  if (strange !== undefined)
    throw headInvalid(`it holds an unknown tensor ${JSON.stringify(strange.slice(0, 100))}`);
  const classes = words.labels.length;
  const d = readCodeLength(tensors);
  const directions = readDirections(tensors, d);
  const tail = readTail(tailFrom, tensors);
  const variances = readVariances(tensors, directions.length / d + 1);
  const head: Head = {
    ...words,
    codeLength: d,
    mean: numbers(tensors, 'mean', [d]),
    deviation: numbers(tensors, 'deviation', [d]),
    weights: numbers(tensors, 'weights', [classes, d]),
    bias: numbers(tensors, 'bias', [classes]),
    novelty: { directions, ...words.novelty },
    golden: readGolden(tensors, classes, d),
    ...(variances === undefined ? {} : { variances }),
    ...(tail === undefined ? {} : { tail }),
  };
  if (head.deviation.some((value) => value < SMALLEST_DEVIATION))
    throw headInvalid('deviation holds a number ≤ 0');
  const fault = goldenFault(head);
  if (fault !== undefined) throw headInvalid(`${fault}; the file is damaged or was made by something else`);
  return head;
}

function readFile(bytes: Uint8Array): SafetensorsFile {
  if (bytes.length > HEAD_FILE_LIMITS.fileBytes) {
    throw tooLarge(`it has ${bytes.length} bytes; the most are ${HEAD_FILE_LIMITS.fileBytes}`);
  }
  if (bytes.length >= 8) {
    const header = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
    // Only where the file is as long as it claims is it too large; else it is broken, as the reader will say.
    if (header > BigInt(HEAD_FILE_LIMITS.headerBytes) && header <= BigInt(bytes.length - 8)) {
      throw tooLarge(
        `its header has ${header} bytes; the most are ${HEAD_FILE_LIMITS.headerBytes}. Are there too many labels?`,
      );
    }
  }
  try {
    return readSafetensors(bytes, HEAD_FILE_LIMITS);
  } catch (cause) {
    if (!(cause instanceof HeadwaterError)) throw cause;
    throw new HeadwaterError('head_invalid', `The head file is not valid. ${cause.message}`, { cause });
  }
}

function tooLarge(what: string): HeadwaterError {
  return new HeadwaterError('head_too_large', `The head file is too large: ${what}.`);
}

function readCodeLength(tensors: ReadonlyMap<string, Tensor>): number {
  const [d, ...rest] = find(tensors, 'mean').shape;
  if (d === undefined || d < 1 || rest.length > 0) throw headInvalid(`the shape of 'mean' is not [D]`);
  if (d > MAX_CODE_LENGTH) throw tooLarge(`it reads codes of ${d} numbers; the most are ${MAX_CODE_LENGTH}`);
  return d;
}

function readDirections(tensors: ReadonlyMap<string, Tensor>, d: number): Float32Array {
  const tensor = find(tensors, 'novelty.directions');
  const k = tensor.shape[0];
  if (k > MAX_DIRECTIONS) throw tooLarge(`it has ${k} principal directions; the most are ${MAX_DIRECTIONS}`);
  expectShape(tensor, 'novelty.directions', 'F16', [k, d]);
  return checkNumbers(Float32Array.from(asFloat16(tensor, 'novelty.directions')), 'novelty.directions');
}

function optional(name: string, values: Float32Array | undefined): [string, Tensor][] {
  return values === undefined ? [] : [[name, tensorOf(values, [values.length])]];
}

function readVariances(tensors: ReadonlyMap<string, Tensor>, length: number): Float32Array | undefined {
  if (!tensors.has('variances')) return undefined;
  const variances = numbers(tensors, 'variances', [length]);
  if (variances.some((value) => value < 0)) throw headInvalid('variances holds a number < 0');
  return variances;
}

function readGolden(tensors: ReadonlyMap<string, Tensor>, classes: number, d: number): GoldenVector[] {
  const count = find(tensors, 'golden.codes').shape[0];
  if (!(count >= 1 && count <= MAX_GOLDEN)) throw headInvalid(`it has not 1 to ${MAX_GOLDEN} golden vectors`);
  const codes = numbers(tensors, 'golden.codes', [count, d]);
  const probabilities = numbers(tensors, 'golden.probabilities', [count, classes]);
  return Array.from({ length: count }, (_, i) => ({
    code: codes.subarray(i * d, (i + 1) * d),
    probabilities: probabilities.subarray(i * classes, (i + 1) * classes),
  }));
}

function numbers(tensors: ReadonlyMap<string, Tensor>, name: string, shape: readonly number[]): Float32Array {
  const tensor = find(tensors, name);
  expectShape(tensor, name, 'F32', shape);
  return checkNumbers(asFloat32(tensor, name), name);
}

function find(tensors: ReadonlyMap<string, Tensor>, name: string): Tensor {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw headInvalid(`it lacks the tensor '${name}'`);
  return tensor;
}

function expectShape(
  tensor: Tensor,
  name: string,
  dtype: string,
  shape: readonly (number | undefined)[],
): void {
  if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
    const found = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    throw headInvalid(`the tensor '${name}' is ${found} where ${dtype} [${shape.join(', ')}] is expected`);
  }
}

function checkNumbers(values: Float32Array, name: string): Float32Array {
  // A loop, for a directions matrix has 100,000 numbers, and a callback for each takes a fresh isolate milliseconds.
  for (let i = 0; i < values.length; i++) {
    // Negated so that a NaN is refused too.
    if (!(Math.abs(values[i]) <= LARGEST_NUMBER)) {
      throw headInvalid(`the tensor '${name}' holds ${values[i]} at ${i}`);
    }
  }
  return values;
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Bytes that a parsed head holds on to, nearly: its tensors are views of the file, but for the widened directions. */
export function memoryOf(head: Head, fileBytes: number): number {
  return fileBytes + head.novelty.directions.byteLength;
}
