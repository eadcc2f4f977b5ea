/**
 * Writes FlatBuffers (https://flatbuffers.dev/internals): just the kinds of value that TFLite uses. Values are described
 * as a tree, tables naming their fields by place in the schema, and laid out front to back, so that every reference
 * points forward as the format wants it.
 */

import { bytesOf, joined } from './bytes.ts';

/** A scalar's own bytes, or what it refers to. */
type Value = Uint8Array | Reference;

/** What lies elsewhere in the file; where it is used stands the distance to it. */
export type Reference =
  | { readonly kind: 'table'; readonly fields: readonly Field[] }
  | { readonly kind: 'references'; readonly items: readonly Reference[] }
  | {
      readonly kind: 'bytes';
      readonly bytes: Uint8Array;
      readonly count: number;
      readonly alignment: number;
    };

/** A field's place in its table (fields of a union take two: kind and value), and what it holds. */
export type Field = readonly [place: number, value: Value];

const WORD = 4;

const utf8 = new TextEncoder();

/** An integer of 8 bits, signed or not; also a boolean or an enum of one byte. */
export function int8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** An integer of 32 bits, signed or not. */
export function int32(value: number): Uint8Array {
  return bytesOf(Int32Array.of(value));
}

export function float32(value: number): Uint8Array {
  return bytesOf(Float32Array.of(value));
}

export function table(...fields: readonly Field[]): Reference {
  return { kind: 'table', fields };
}

/** A vector of tables or strings. */
export function list(items: readonly Reference[]): Reference {
  return { kind: 'references', items };
}

export function int32s(values: readonly number[]): Reference {
  return vector(Int32Array.from(values));
}

export function float32s(values: Float32Array): Reference {
  return vector(values);
}

export function int64s(values: readonly number[]): Reference {
  return vector(BigInt64Array.from(values, BigInt));
}

function vector(values: Int32Array | Float32Array | BigInt64Array): Reference {
  const { length, BYTES_PER_ELEMENT } = values;
  return { kind: 'bytes', bytes: bytesOf(values), count: length, alignment: BYTES_PER_ELEMENT };
}

/** A vector of bytes, not copied until the file is written. @param alignment of its first byte in the file. */
export function bytes(value: Uint8Array, alignment: number): Reference {
  return { kind: 'bytes', bytes: value, count: value.length, alignment };
}

/** Ends with a zero that its length doesn't count. */
export function text(value: string): Reference {
  const encoded = utf8.encode(value);
  const terminated = new Uint8Array(encoded.length + 1);
  terminated.set(encoded);
  return { kind: 'bytes', bytes: terminated, count: encoded.length, alignment: WORD };
}

/** The whole file. @param identifier of the format, four ASCII characters. */
export function encodeFlatbuffer(root: Reference, identifier: string): Uint8Array {
  const file = new Layout();
  const slot = file.append(new Uint8Array(WORD));
  file.append(utf8.encode(identifier));
  file.refer(slot, root);
  return file.joined();
}

class Layout {
  readonly #parts: Uint8Array[] = [];
  readonly #distances: { readonly slot: number; readonly distance: number }[] = [];
  #length = 0;

  /** @returns where the bytes lie. */
  append(part: Uint8Array): number {
    const at = this.#length;
    this.#parts.push(part);
    this.#length += part.length;
    return at;
  }

  /** Writes what is referred to, and at `slot` how far away it is. */
  refer(slot: number, target: Reference): void {
    this.#distances.push({ slot, distance: this.#put(target) - slot });
  }

  joined(): Uint8Array {
    const out = joined(this.#parts);
    for (const { slot, distance } of this.#distances) out.set(int32(distance), slot);
    return out;
  }

  #put(target: Reference): number {
    switch (target.kind) {
      case 'table':
        return this.#putTable(target.fields);
      case 'references':
        return this.#putReferences(target.items);
      case 'bytes':
        // Its length comes first, and the bytes after it are what is aligned.
        this.#align(target.alignment, WORD);
        return this.#counted(target.count, target.bytes);
    }
  }

  #putReferences(items: readonly Reference[]): number {
    this.#align(WORD, 0);
    const at = this.#counted(items.length, new Uint8Array(items.length * WORD));
    for (const [i, item] of items.entries()) this.refer(at + WORD + i * WORD, item);
    return at;
  }

  #putTable(fields: readonly Field[]): number {
    const { offsets, size } = placed(fields);
    const places = Math.max(-1, ...fields.map(([place]) => place)) + 1;
    // Its own size and the table's, then an offset a field.
    const vtable = new Uint16Array(2 + places);
    vtable.set([vtable.byteLength, size]);
    for (const [i, [place]] of fields.entries()) vtable[2 + place] = offsets[i];
    this.#align(WORD, vtable.byteLength);
    this.append(bytesOf(vtable));
    const body = new Uint8Array(size);
    body.set(int32(vtable.byteLength));
    const at = this.append(body);
    for (const [i, [, value]] of fields.entries()) {
      if (value instanceof Uint8Array) body.set(value, offsets[i]);
      else this.refer(at + offsets[i], value);
    }
    return at;
  }

  #counted(count: number, content: Uint8Array): number {
    const at = this.append(int32(count));
    this.append(content);
    return at;
  }

  /** Fills up with zeros so that what comes `ahead` bytes from here is aligned. */
  #align(alignment: number, ahead: number): void {
    const over = (this.#length + ahead) % alignment;
    if (over !== 0) this.append(new Uint8Array(alignment - over));
  }
}

/** Where each field lies in its table: after the distance to the vtable, each aligned to its own size. */
function placed(fields: readonly Field[]): { offsets: number[]; size: number } {
  let size = WORD;
  const offsets = fields.map(([, value]) => {
    const width = value instanceof Uint8Array ? value.length : WORD;
    const at = Math.ceil(size / width) * width;
    size = at + width;
    return at;
  });
  return { offsets, size };
}
