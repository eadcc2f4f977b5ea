/**
 * Writes protocol-buffer messages (the wire format of https://protobuf.dev/programming-guides/encoding): just the kinds
 * of field that ONNX uses. A message is a list of encoded fields; nested messages are fields too.
 */
import { joined } from './bytes.ts';

/** One encoded field: its tag, its length where the kind has one, and its value. Parts are joined once, at the end. */
export type Field = readonly Uint8Array[];

const WIRE_VARINT = 0;
const WIRE_LENGTH_DELIMITED = 2;
const WIRE_FIXED32 = 5;
const INT64_BITS = 64;

const utf8 = new TextEncoder();

/** An integer of up to 64 bits (int32, int64, uint64, enum); negative numbers take their two's complement. */
export function integer(field: number, value: number): Field {
  return [varint(tag(field, WIRE_VARINT)), varint(BigInt.asUintN(INT64_BITS, BigInt(value)))];
}

/** A 32-bit float. */
export function float(field: number, value: number): Field {
  const bytes = new Uint8Array(Float32Array.BYTES_PER_ELEMENT);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return [varint(tag(field, WIRE_FIXED32)), bytes];
}

/** Bytes as they are; not copied until the message is joined. */
export function bytes(field: number, value: Uint8Array): Field {
  return [varint(tag(field, WIRE_LENGTH_DELIMITED)), varint(BigInt(value.length)), value];
}

export function text(field: number, value: string): Field {
  return bytes(field, utf8.encode(value));
}

/** A nested message made of `fields`. */
export function message(field: number, fields: readonly Field[]): Field {
  const parts = fields.flat();
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  return [varint(tag(field, WIRE_LENGTH_DELIMITED)), varint(BigInt(length)), ...parts];
}

/** Repeated integers in the packed form, which is proto3's default. */
export function packedIntegers(field: number, values: readonly number[]): Field {
  return message(
    field,
    values.map((value) => [varint(BigInt.asUintN(INT64_BITS, BigInt(value)))]),
  );
}

/** The bytes of a whole message. */
export function encode(fields: readonly Field[]): Uint8Array {
  return joined(fields.flat());
}

function tag(field: number, wireType: number): bigint {
  return BigInt((field << 3) | wireType);
}

/** Base 128, least significant group first; the high bit says that more follow. */
function varint(value: bigint): Uint8Array {
  const out: number[] = [];
  let rest = value;
  do {
    const group = Number(rest & 0x7fn);
    rest >>= 7n;
    out.push(rest === 0n ? group : group | 0x80);
  } while (rest !== 0n);
  return Uint8Array.from(out);
}
