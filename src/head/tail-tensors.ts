/**
 * A tail in a head file: one tensor `tail.<name>` for each of the backbone's tensors behind the cut, its numbers in a
 * row, in half precision where that loses nothing and else in single.
 */
import type { Tail } from '../backbone/tail.ts';
import { asFloat16, asFloat32, tensorOf, type Tensor } from '../safetensors.ts';
import { MAX_NAME_LENGTH, MAX_TAIL_TENSORS } from './limits.ts';
import { headInvalid } from './metadata.ts';

export const TAIL_PREFIX = 'tail.';

/** Beyond any real weight, and far from where sums of them would overflow. */
const LARGEST_WEIGHT = 1e6;

export function writeTail(tail: Tail | undefined): [string, Tensor][] {
  if (tail === undefined) return [];
  return [...tail.tensors].map(([name, values]) => [
    TAIL_PREFIX + name,
    tensorOf(packed(values), [values.length]),
  ]);
}

/**
 * @param from where the head's metadata say the tail begins; undefined where they name no tail.
 * @param tensors of the file, of which those with the tail's prefix are taken; views where they are aligned.
 * @throws HeadwaterError `head_invalid`
 */
export function readTail(from: string | undefined, tensors: ReadonlyMap<string, Tensor>): Tail | undefined {
  const found = [...tensors].filter(([name]) => name.startsWith(TAIL_PREFIX));
  if (from === undefined) {
    if (found.length > 0) throw headInvalid(`it holds '${found[0][0].slice(0, 100)}' but names no tail`);
    return undefined;
  }
  if (found.length === 0) throw headInvalid('it names a tail but holds none of its tensors');
  if (found.length > MAX_TAIL_TENSORS)
    throw headInvalid(`its tail has more than ${MAX_TAIL_TENSORS} tensors`);
  return {
    from,
    tensors: new Map(found.map(([name, tensor]) => [name.slice(TAIL_PREFIX.length), unpack(name, tensor)])),
  };
}

function packed(values: Float32Array | Float16Array): Float32Array | Float16Array {
  if (values instanceof Float16Array) return values;
  return values.every((value) => Math.f16round(value) === value) ? Float16Array.from(values) : values;
}

function unpack(name: string, tensor: Tensor): Float32Array | Float16Array {
  if (name.length > MAX_NAME_LENGTH)
    throw headInvalid(`the name of the tensor '${name.slice(0, 50)}…' is too long`);
  if (tensor.shape.length !== 1 || (tensor.dtype !== 'F16' && tensor.dtype !== 'F32')) {
    throw headInvalid(`the tensor '${name}' is no row of F16 or F32 numbers`);
  }
  const values = tensor.dtype === 'F16' ? asFloat16(tensor, name) : asFloat32(tensor, name);
  for (let i = 0; i < values.length; i++) {
    // Negated so that a NaN is refused too.
    if (!(Math.abs(values[i]) <= LARGEST_WEIGHT))
      throw headInvalid(`the tensor '${name}' holds ${values[i]} at ${i}`);
  }
  return values;
}
