/** The state of a fine-tuning run and its file, so that the run can be resumed. */
import { HeadwaterError } from '../../errors.ts';
import { readSafetensors, writeSafetensors, type Tensor } from '../../safetensors.ts';
import type { AdamWState } from './adamw.ts';

export interface FineTuneState extends AdamWState {
  /** Tail and head, as the optimiser left them. */
  readonly values: Float32Array;
  /** Sum of the values after each of the last steps, and how many of those there were. */
  readonly sum: Float64Array;
  averaged: number;
}

const MIB = 1024 * 1024;
const LIMITS = { fileBytes: 1024 * MIB, headerBytes: 64 * 1024, tensors: 8 };
const FORMAT = 'headwater-fine-tune/1';

/** @param start of tail and head. */
export function initialState(start: Float32Array): FineTuneState {
  return {
    steps: 0,
    values: start.slice(),
    mean: new Float32Array(start.length),
    square: new Float32Array(start.length),
    sum: new Float64Array(start.length),
    averaged: 0,
  };
}

/** @param task text that identifies the run; `readState` refuses the state of another. */
export function writeState(state: FineTuneState, task: string): Uint8Array {
  const { values, mean, square, sum } = state;
  const tensors = new Map(
    Object.entries({ values, mean, square, sum }).map(([name, array]) => [name, raw(array)]),
  );
  const counts = { steps: String(state.steps), averaged: String(state.averaged) };
  return writeSafetensors(tensors, { format: FORMAT, task, ...counts });
}

/** @throws HeadwaterError `file_corrupt` when it is not such a file, or of another task. */
export function readState(bytes: Uint8Array, task: string): FineTuneState {
  const { metadata, tensors } = readSafetensors(bytes, LIMITS);
  if (metadata['format'] !== FORMAT) throw unusable('it is no saved run');
  if (metadata['task'] !== task) throw unusable('it is of other data or other options');
  const floats = (name: string): Float32Array => new Float32Array(copy(tensors, name, 'F32'));
  const sum = new Float64Array(copy(tensors, 'sum', 'F64'));
  const state = { values: floats('values'), mean: floats('mean'), square: floats('square'), sum };
  const [steps, averaged] = [Number(metadata['steps']), Number(metadata['averaged'])];
  const lengths = new Set(Object.values(state).map((array) => array.length));
  if (lengths.size !== 1 || !Number.isSafeInteger(steps) || !Number.isSafeInteger(averaged))
    throw unusable('it is damaged');
  return { ...state, steps, averaged };
}

function raw(array: Float32Array | Float64Array): Tensor {
  const dtype = array instanceof Float32Array ? 'F32' : 'F64';
  return {
    dtype,
    shape: [array.length],
    bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
  };
}

/** A copy that is aligned for any type. */
function copy(tensors: ReadonlyMap<string, Tensor>, name: string, dtype: Tensor['dtype']): ArrayBuffer {
  const tensor = tensors.get(name);
  if (tensor?.dtype !== dtype) throw unusable(`it lacks '${name}'`);
  return new Uint8Array(tensor.bytes).buffer;
}

function unusable(what: string): HeadwaterError {
  return new HeadwaterError('file_corrupt', `The saved run cannot be resumed: ${what}. Start it anew.`);
}
