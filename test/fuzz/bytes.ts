/** Changes to bytes and to lists that need no knowledge of what they mean. */
import type { Random } from './random.ts';

export type Bytes = Uint8Array<ArrayBuffer>;

/** Longer results than this are cut: a few doublings would else make megabytes of any case. */
const MAX_BYTES = 4_000_000;

type Part = Uint8Array | readonly number[];

export const joined = (...parts: readonly Part[]): Bytes => joinedList(parts);

/** For lists that are too long for arguments. */
export function joinedList(parts: readonly Part[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export const ascii = (text: string): Bytes => Uint8Array.from(text, (c) => c.charCodeAt(0) & 255);

export const big16 = (value: number): number[] => [(value >> 8) & 255, value & 255];
export const big32 = (value: number): number[] => [...big16(value >>> 16), ...big16(value & 0xffff)];
export const little16 = (value: number): number[] => big16(value).toReversed();
export const little32 = (value: number): number[] => big32(value).toReversed();

/** One change. The bytes given stay as they are. */
export function changeBytes(random: Random, bytes: Uint8Array): Bytes {
  if (bytes.length === 0) return random.bytes(random.below(8));
  const at = random.below(bytes.length);
  const length = random.below(Math.min(bytes.length - at, random.oneIn(4) ? Infinity : 64)) + 1;
  const write = (values: ArrayLike<number>): Bytes => overwritten(bytes, at, values);
  const span = bytes.subarray(at, at + length);
  return random.do(
    () => write([bytes[at] ^ (1 << random.below(8))]),
    () => write([random.odd(8)]),
    () => write(big16(random.odd(16))),
    () => write(little16(random.odd(16))),
    () => write(big32(random.odd(32))),
    () => write(little32(random.odd(32))),
    () => write(random.bytes(length)),
    () => new Uint8Array(bytes.subarray(0, at)),
    () => joined(bytes.subarray(0, at), bytes.subarray(at + length)),
    () => joined(bytes.subarray(0, at), random.bytes(length), bytes.subarray(at)),
    () => joined(bytes.subarray(0, at), span, bytes.subarray(at)).slice(0, MAX_BYTES),
  );
}

/** A copy with values written over its bytes from `at` on, as far as there are any. */
export function overwritten(bytes: Uint8Array, at: number, values: ArrayLike<number>): Bytes {
  const copy = new Uint8Array(bytes);
  if (at < copy.length) copy.set(Array.from(values).slice(0, copy.length - at), at);
  return copy;
}

export interface ListChanges<T> {
  readonly change: (item: T) => T;
  readonly make: () => T;
  /** Times that an item may be repeated, and bytes that it takes each time. */
  readonly most: number;
  readonly bytesOf: (item: T) => number;
}

/** One change of a list: its items are moved, repeated, left out, or replaced by what `change` and `make` give. */
export function changeList<T>(random: Random, items: readonly T[], changes: ListChanges<T>): T[] {
  const { change, make, most, bytesOf } = changes;
  const list = [...items];
  if (list.length === 0) return [make()];
  const at = random.below(list.length + 1);
  const i = Math.min(at, list.length - 1);
  const times = Math.min(most, Math.floor(MAX_BYTES / (bytesOf(list[i]) + 1)));
  random.do<unknown>(
    () => (list[i] = change(list[i])),
    () => (list[i] = change(list[i])),
    () => (list[i] = change(list[i])),
    () => list.splice(at, 0, make()),
    () => list.splice(i, 1),
    () => list.splice(at, 0, list[i]),
    () => list.push(...list.splice(i, 1)),
    () => list.splice(i, 0, random.pick(list)),
    () => list.splice(i, list.length),
    () => list.splice(at, 0, ...repeated(list[i], random.oneIn(6) ? times : 1)),
  );
  return list;
}

const repeated = <T>(item: T, times: number): T[] => Array.from({ length: times }, () => item);

/** Applies 1 to `most` changes, one after the other. */
export function changed<T>(random: Random, value: T, most: number, change: (value: T) => T): T {
  const times = 1 + random.below(most);
  let result = value;
  for (let i = 0; i < times; i++) result = change(result);
  return result;
}
