/** Input tensors of the Open Inference Protocol: pictures as BYTES, pixels or CNN codes as numbers; all become codes. */
import { z } from 'zod';
import { readCode, type Head } from '../../src/head/index.ts';
import { chooseVersion, predictCode, type Caller } from '../predict/predict.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import { MAX_PICTURES_PER_REQUEST } from '../limits.ts';
import { fromBase64 } from '../http/pictures.ts';
import { ApiError } from '../http/problem.ts';
import type { Services } from '../isolate/services.ts';
import { scorePicture, scorePixels, scoresOf, type Scores } from './scores.ts';

const MAX_TENSORS = 8;
const MAX_DIMENSIONS = 8;

/** Looked at once, where it is read: two million items take Zod a tenth of a second. */
const isList = (value: unknown): boolean => Array.isArray(value);

const InputTensor = z.object({
  name: z.string().max(256),
  datatype: z.enum(['BYTES', 'FP32', 'UINT8']),
  shape: z.array(z.int().min(0).max(1e9)).min(1).max(MAX_DIMENSIONS),
  data: z.custom<readonly unknown[]>(isList, 'must be a list'),
});
type InputTensor = z.infer<typeof InputTensor>;

export const InferRequest = z.object({
  id: z.string().max(256).optional(),
  inputs: z.array(InputTensor).min(1).max(MAX_TENSORS),
  outputs: z
    .array(z.object({ name: z.string().max(256) }))
    .max(MAX_TENSORS)
    .optional(),
});

/**
 * What the head says to each row of the input, and which version of it: the answer has room for one, so the first row
 * decides for all.
 * @throws ApiError invalid_request; HeadwaterError image_…
 */
export async function scoreInput(
  services: Services,
  caller: Caller,
  head: LoadedHead,
  inputs: readonly InputTensor[],
): Promise<Answered> {
  if (inputs.length > 1) throw refused(`one input tensor is read, not ${inputs.length}`);
  const [tensor] = inputs;
  const rows = tensor.shape[0];
  if (rows < 1 || rows > MAX_PICTURES_PER_REQUEST) {
    throw refused(`the first dimension must be 1 to ${MAX_PICTURES_PER_REQUEST}, not ${rows}`);
  }
  if (tensor.datatype === 'BYTES') {
    const pictures = picturesOf(tensor, rows);
    const loaded = await chooseVersion(services, caller, head, pictures[0]);
    return inTurn(loaded, pictures, (picture) => scorePicture(services, caller, loaded, picture));
  }
  const { runtime } = head;
  const { plan, input, engine } = runtime;
  const { height, width } = input;
  const { channels } = plan.input;
  const form = tensor.shape.slice(1).join('×');
  if (form === String(engine.codeLength) && tensor.datatype === 'FP32') {
    if (head.head.tail !== undefined) throw refused('a fine-tuned head reads pictures or pixels, not codes');
    const codes = new Float32Array(rows * engine.codeLength);
    fill(codes, tensor, 'numbers', (value) => Number.isFinite(Math.fround(value)));
    const each = rowsOf(codes, rows);
    const loaded = await chooseForNumbers(
      services,
      caller,
      head,
      bytesOf(each[0]),
      ({ tail }) => tail === undefined,
    );
    return inTurn(loaded, each, async (codes) => {
      const code = readCode(loaded.head, plan, codes);
      const features = new Map([[runtime, { code: codes, pixels: new Uint8Array(0), maps: new Map() }]]);
      const extracted = { features, later: new Map() };
      return scoresOf(
        await predictCode(services, caller, { loaded, code, extracted, input: bytesOf(codes) }),
      );
    });
  }
  if (form !== `${height}×${width}×${channels}`) {
    throw refused(
      `numbers come as [n, ${height}, ${width}, ${channels}] pixels from 0 to 255 or as an FP32 [n, ${engine.codeLength}] of CNN codes`,
    );
  }
  const pixels = new Uint8Array(rows * height * width * channels);
  fill(pixels, tensor, 'numbers from 0 to 255', (value) => value >= 0 && value <= 255, 0.5);
  const each = rowsOf(pixels, rows);
  const loaded = await chooseForNumbers(services, caller, head, each[0]);
  return inTurn(loaded, each, (picture) => scorePixels(services, caller, loaded, picture));
}

export interface Answered {
  readonly loaded: LoadedHead;
  readonly scores: readonly Scores[];
}

/** Numbers are made for one backbone at one size: a canary that cannot read them does not answer. */
async function chooseForNumbers(
  services: Services,
  caller: Caller,
  head: LoadedHead,
  input: Uint8Array,
  readable: (head: Head) => boolean = () => true,
): Promise<LoadedHead> {
  const chosen = await chooseVersion(services, caller, head, input);
  return chosen.runtime === head.runtime && readable(chosen.head) ? chosen : head;
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** One after the other: at once they would only share one processor and more memory. */
async function inTurn<T>(
  loaded: LoadedHead,
  items: readonly T[],
  task: (item: T) => Promise<Scores>,
): Promise<Answered> {
  const scores: Scores[] = [];
  for (const item of items) scores.push(await task(item));
  return { loaded, scores };
}

function rowsOf<T>(values: { length: number; subarray(begin: number, end: number): T }, rows: number): T[] {
  const each = values.length / rows;
  return Array.from({ length: rows }, (_, row) => values.subarray(row * each, (row + 1) * each));
}

/** Each a base64 text, alone or as {"b64": text}. */
function picturesOf({ data, shape }: InputTensor, rows: number): Uint8Array[] {
  const elements = shape.reduce((product, side) => product * side, 1);
  const flat = flatten(data, rows);
  if (elements !== rows || flat.length !== rows) throw refused('the data are not as many as the shape says');
  return flat.map((value) => {
    const text = typeof value === 'object' && value !== null && 'b64' in value ? value.b64 : value;
    if (typeof text !== 'string') throw refused('pictures come as base64');
    return fromBase64(text, 'inputs');
  });
}

/**
 * Puts the tensor's numbers into `into` in row-major order, be the data nested or flat.
 * @param what they must be. @param plus is added first: a half, where whole numbers cut off what is behind the point.
 */
function fill(
  into: Float32Array | Uint8Array,
  { data }: InputTensor,
  what: string,
  isAllowed: (value: number) => boolean,
  plus = 0,
): void {
  const length = walk(data, into.length, (value, i) => {
    if (typeof value === 'number' && isAllowed(value)) into[i] = value + plus;
    else throw refused(`the data hold something else than ${what}`);
  });
  if (length !== into.length) throw refused('the data are not as many as the shape says');
}

function flatten(data: readonly unknown[], count: number): unknown[] {
  const flat: unknown[] = [];
  const length = walk(data, count, (value) => void flat.push(value));
  return length === count ? flat : [];
}

/**
 * Visits what is in the lists, in order, and stops as soon as there is more than `count`, and where lists are nested deeper than
 * tensors are. @returns how many there were, at most count + 1.
 */
function walk(data: readonly unknown[], count: number, visit: (value: unknown, i: number) => void): number {
  let length = 0;
  const walkList = (values: readonly unknown[], depth: number): void => {
    if (depth > MAX_DIMENSIONS) throw refused('the data are nested too deeply');
    for (const value of values) {
      if (length > count) return;
      if (Array.isArray(value)) walkList(value, depth + 1);
      else if (length++ < count) visit(value, length - 1);
    }
  };
  walkList(data, 1);
  return length;
}

function refused(reason: string): ApiError {
  return new ApiError('invalid_request', `The input tensor cannot be used: ${reason}.`, { field: 'inputs' });
}
