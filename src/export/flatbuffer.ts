/**
 * Writes FlatBuffers (https://flatbuffers.dev/internals): just the kinds of value that TFLite uses. Values are described
 * as a tree, tables naming their fields by place in the schema, and laid out front to back, so that every reference
 * points forward as the format wants it.
 */

export type Value = Scalar | Reference;

interface Scalar {
  readonly kind: 'int8' | 'int32' | 'float32';
  readonly value: number;
}

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
/** vtable: its own size and the table's, then an offset a field, 16 bits each. */
const VTABLE_HEADER = 4;
const SIZE = { int8: 1, int32: WORD, float32: WORD } as const;

const utf8 = new TextEncoder();

/** An integer of 8 bits, signed or not; also a boolean or an enum of one byte. */
export function int8(value: number): Scalar {
  return { kind: 'int8', value };
}

/** An integer of 32 bits, signed or not. */
export function int32(value: number): Scalar {
  return { kind: 'int32', value };
}

export function float32(value: number): Scalar {
  return { kind: 'float32', value };
}

export function table(...fields: readonly Field[]): Reference {
  return { kind: 'table', fields };
}

/** A vector of tables or strings. */
export function list(items: readonly Reference[]): Reference {
  return { kind: 'references', items };
}

export function int32s(values: readonly number[]): Reference {
  const bytes = new Uint8Array(Int32Array.from(values).buffer);
  return { kind: 'bytes', bytes, count: values.length, alignment: WORD };
}

export function float32s(values: Float32Array): Reference {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { kind: 'bytes', bytes, count: values.length, alignment: WORD };
}

export function int64s(values: readonly number[]): Reference {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return { kind: 'bytes', bytes, count: values.length, alignment: 2 * WORD };
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
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    const view = new DataView(out.buffer);
    for (const { slot, distance } of this.#distances) view.setUint32(slot, distance, true);
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
    const vtable = new DataView(new ArrayBuffer(VTABLE_HEADER + 2 * places));
    vtable.setUint16(0, vtable.byteLength, true);
    vtable.setUint16(2, size, true);
    for (const [i, [place]] of fields.entries()) {
      vtable.setUint16(VTABLE_HEADER + 2 * place, offsets[i], true);
    }
    this.#align(WORD, vtable.byteLength);
    this.append(new Uint8Array(vtable.buffer));
    const body = new DataView(new ArrayBuffer(size));
    body.setInt32(0, vtable.byteLength, true);
    for (const [i, [, value]] of fields.entries()) setScalar(body, offsets[i], value);
    const at = this.append(new Uint8Array(body.buffer));
    for (const [i, [, value]] of fields.entries()) {
      if (!isScalar(value)) this.refer(at + offsets[i], value);
    }
    return at;
  }

  #counted(count: number, content: Uint8Array): number {
    const length = new DataView(new ArrayBuffer(WORD));
    length.setUint32(0, count, true);
    const at = this.append(new Uint8Array(length.buffer));
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
    const width = isScalar(value) ? SIZE[value.kind] : WORD;
    const at = Math.ceil(size / width) * width;
    size = at + width;
    return at;
  });
  return { offsets, size };
}

function isScalar(value: Value): value is Scalar {
  return value.kind in SIZE;
}

function setScalar(body: DataView, offset: number, value: Value): void {
  if (value.kind === 'int8') body.setInt8(offset, value.value);
  else if (value.kind === 'int32') body.setInt32(offset, value.value, true);
  else if (value.kind === 'float32') body.setFloat32(offset, value.value, true);
}
