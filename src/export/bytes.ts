/** Bytes of files that are made of parts. */
import { elementCount } from '../safetensors.ts';

export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** The bytes of numbers, little-endian as every host we run on; not copied. */
export function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @throws RangeError when the number of a constant's values is not that of its shape. */
export function assertFills(name: string, shape: readonly number[], { length }: ArrayLike<number>): void {
  const count = elementCount(shape);
  if (count === length) return;
  throw new RangeError(
    `Constant '${name}' has ${length} values; its shape [${shape.join(', ')}] wants ${count}.`,
  );
}
