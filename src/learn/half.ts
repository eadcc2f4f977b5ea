/**
 * Half-precision numbers by their bits. Reading a Float16Array number by number is slow and allocates an object for
 * each, until V8 has optimised the loop. In an isolate that trains rarely, V8 may never do that.
 */

const PATTERNS = 65_536;

let table: Float32Array | undefined;

/** @returns the number that each of the 65,536 patterns stands for, made once. */
export function halfValues(): Float32Array {
  table ??= new Float32Array(new Float16Array(Uint16Array.from({ length: PATTERNS }, (_, i) => i).buffer));
  return table;
}

/** @returns the bits of half-precision numbers, in the same memory. */
export function halfBits(codes: Float16Array): Uint16Array {
  return new Uint16Array(codes.buffer, codes.byteOffset, codes.length);
}
