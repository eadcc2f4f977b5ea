/** The compressed data that are at hand, and how they are read bit by bit (RFC 1951, 3.1.1). */
import { input, INPUT_BYTES } from './layout.as';

/** Read ahead, the next bit lowest, and how many there are. */
export let bits: u64 = 0;
export let bitCount: i32 = 0;
/** What comes after them. */
export let inAt: usize = input;
export let inEnd: usize = input;
export let inputIsLast = false;

export function startBits(): void {
  dropInput();
  inputIsLast = false;
}

/** For a loop that has them in variables of its own. */
@inline
export function setBits(held: u64, count: i32, at: usize): void {
  bits = held;
  bitCount = count;
  inAt = at;
}

/** Whole bytes that were read ahead go back while they are there, and what is left of one is dropped. */
export function toWholeBytes(): void {
  inAt -= bitCount >> 3;
  bits = 0;
  bitCount = 0;
}

/** Puts what is not read yet to the front. @returns where more input goes. */
export function makeRoom(): usize {
  // Whole bytes that were read ahead go back while they are there.
  inAt -= bitCount >> 3;
  bitCount &= 7;
  bits &= (1 << bitCount) - 1;
  const left = inEnd - inAt;
  memory.copy(input, inAt, left);
  inAt = input;
  inEnd = input + left;
  return inEnd;
}

/** Bytes that `makeRoom` leaves room for. */
export function room(): i32 {
  return <i32>(input + INPUT_BYTES - inEnd);
}

/** So many bytes were put where `makeRoom` said; they are the last ones or not. */
export function addInput(bytes: i32, last: bool): void {
  inEnd += bytes;
  inputIsLast = last;
}

/** Forgets input that nobody will read. */
export function dropInput(): void {
  inAt = input;
  inEnd = input;
  bits = 0;
  bitCount = 0;
}

/** Bytes at hand, those in `bits` included. */
export function wants(bytes: i32): bool {
  return !inputIsLast && <i32>(inEnd - inAt) + (bitCount >> 3) < bytes;
}

/** Fills `bits` up to 49 or more, as far as there is input; never all 64, by which nothing can be shifted. */
@inline
export function refill(): void {
  while (bitCount <= 48 && inAt < inEnd) {
    bits |= <u64>load<u8>(inAt++) << bitCount;
    bitCount += 8;
  }
}

/** @returns the next bits, at most 16, or −1 at the end of the input. */
export function take(count: i32): i32 {
  if (bitCount < count) refill();
  if (bitCount < count) return -1;
  const value = <i32>(bits & ((1 << count) - 1));
  bits >>= count;
  bitCount -= count;
  return value;
}
