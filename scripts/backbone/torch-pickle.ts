/**
 * Reads the tensors of a file that PyTorch wrote before version 1.6 (torch/serialization.py, `_legacy_save`): five pickles
 * one after the other, then the storages. A pickle is a program that may call anything; this reader knows the few
 * instructions and the four names that such a file needs, makes plain data of them, and runs nothing.
 */

export interface TorchTensor {
  /** Outermost dimension first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Row-major. Integers of 64 bits, which count batches, are not read: their values are empty. */
  readonly values: Float32Array;
}

/** Of a file with a few hundred tensors. */
const LIMITS = { instructions: 1_000_000, memo: 100_000, dimensions: 8, elements: 64 * 1024 * 1024 };

/** What begins each file (`MAGIC_NUMBER`), and the version that is read. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** Names that a pickle may refer to. Each stands for itself and is never called. */
const NAMES = [
  'collections OrderedDict',
  'torch FloatStorage',
  'torch LongStorage',
  'torch._utils _rebuild_tensor_v2',
] as const;

const ELEMENT_BYTES: Readonly<Record<string, number>> = { 'torch FloatStorage': 4, 'torch LongStorage': 8 };

/** A place in the stack where a list of arguments begins. */
const MARK = Symbol('mark');

interface Name {
  readonly kind: 'name';
  readonly name: string;
}
interface Storage {
  readonly kind: 'storage';
  readonly type: string;
  readonly key: string;
  readonly elements: number;
}
interface View {
  readonly kind: 'view';
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  /** Elements of the storage from one index to the next along each side. */
  readonly strides: readonly number[];
}
type Dictionary = Map<unknown, unknown>;

/**
 * @returns the tensors of a state dictionary by name.
 * @throws Error saying what and where when the file is another, asks for anything else, or is damaged.
 */
export function readTorchTensors(bytes: Uint8Array): Map<string, TorchTensor> {
  const file = new Cursor(bytes);
  if (new Unpickler(file).load() !== MAGIC)
    throw file.fault('it is no file of PyTorch in the form before 1.6');
  if (new Unpickler(file).load() !== PROTOCOL) throw file.fault(`its protocol is not ${PROTOCOL}`);
  new Unpickler(file).load();
  const state = new Unpickler(file).load();
  if (!(state instanceof Map)) throw file.fault('it holds no state dictionary');
  const storages = readStorages(file, new Unpickler(file).load(), storagesOf(state));
  const tensors = new Map<string, TorchTensor>();
  for (const [name, view] of state) {
    if (typeof name !== 'string' || !isView(view)) throw file.fault(`an entry is no tensor: ${String(name)}`);
    tensors.set(name, tensorOf(name, view, storages));
  }
  return tensors;
}

function storagesOf(state: Dictionary): Map<string, Storage> {
  const found = new Map<string, Storage>();
  for (const value of state.values()) if (isView(value)) found.set(value.storage.key, value.storage);
  return found;
}

/** Behind the pickles: of each storage its number of elements, in 64 bits, and the elements. */
function readStorages(
  file: Cursor,
  keys: unknown,
  known: ReadonlyMap<string, Storage>,
): Map<string, Uint8Array> {
  if (!Array.isArray(keys)) throw file.fault('it does not list its storages');
  const storages = new Map<string, Uint8Array>();
  for (const key of keys as unknown[]) {
    const storage = typeof key === 'string' ? known.get(key) : undefined;
    if (storage === undefined) throw file.fault(`it lists a storage that no tensor has: ${String(key)}`);
    const elements = file.u64();
    if (elements !== storage.elements)
      throw file.fault(`storage ${storage.key} has ${elements} elements instead of ${storage.elements}`);
    storages.set(storage.key, file.take(elements * ELEMENT_BYTES[storage.type]));
  }
  return storages;
}

function tensorOf(name: string, view: View, storages: ReadonlyMap<string, Uint8Array>): TorchTensor {
  const { storage, offset, shape, strides } = view;
  const bytes = storages.get(storage.key);
  if (bytes === undefined) throw new Error(`PyTorch file: tensor '${name}' has no storage.`);
  const elements = shape.reduce((product, side) => product * side, 1);
  const last = shape.reduce((sum, side, i) => sum + (side - 1) * strides[i], offset);
  if (elements > LIMITS.elements || (elements > 0 && last >= storage.elements))
    throw new Error(`PyTorch file: tensor '${name}' lies beyond its storage.`);
  if (storage.type !== 'torch FloatStorage') return { shape, values: new Float32Array() };
  const view32 = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(elements);
  for (let i = 0; i < elements; i++) {
    let [at, rest] = [offset, i];
    for (let side = shape.length - 1; side >= 0; side--) {
      at += (rest % shape[side]) * strides[side];
      rest = Math.floor(rest / shape[side]);
    }
    values[i] = view32.getFloat32(4 * at, true);
  }
  return { shape, values };
}

function isView(value: unknown): value is View {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'view';
}

function isName(value: unknown): value is Name {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'name';
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'storage';
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** One pickle (Python's pickletools describes the instructions). */
class Unpickler {
  readonly #file: Cursor;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(file: Cursor) {
    this.#file = file;
  }

  load(): unknown {
    for (let i = 0; i < LIMITS.instructions; i++) {
      const code = this.#file.u8();
      if (code === 0x2e) return this.#pop();
      this.#run(code);
    }
    throw this.#file.fault(`a pickle has more than ${LIMITS.instructions} instructions`);
  }

  #run(code: number): void {
    const run = INSTRUCTIONS[code];
    if (run === undefined) throw this.#file.fault(`its instruction 0x${code.toString(16)} is not allowed`);
    run(this, this.#file);
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    return this.#pop();
  }

  remember(key: number): void {
    if (this.#memo.size >= LIMITS.memo) throw this.#file.fault('a pickle remembers too much');
    this.#memo.set(key, this.#stack.at(-1));
  }

  recall(key: number): void {
    if (!this.#memo.has(key)) throw this.#file.fault(`nothing is remembered as ${key}`);
    this.push(this.#memo.get(key));
  }

  /** What was pushed since the last mark. */
  marked(): unknown[] {
    const at = this.#stack.lastIndexOf(MARK);
    if (at < 0) throw this.#file.fault('a list has no beginning');
    const [, ...items] = this.#stack.splice(at);
    return items;
  }

  /** Sets the items of the dictionary on the stack. @param items keys and values by turns. */
  setItems(items: readonly unknown[]): void {
    const dictionary = this.#stack.at(-1);
    if (!(dictionary instanceof Map) || items.length % 2 !== 0)
      throw this.#file.fault('items are set in what is no dictionary');
    for (let i = 0; i < items.length; i += 2) dictionary.set(items[i], items[i + 1]);
  }

  append(items: readonly unknown[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) throw this.#file.fault('items are appended to what is no list');
    for (const item of items) list.push(item);
  }

  /** @param name two words with a blank between. */
  pushName(name: string): void {
    if (!NAMES.some((known) => known === name))
      throw this.#file.fault(`it names '${name.slice(0, 80)}', which is not allowed`);
    this.push({ kind: 'name', name } satisfies Name);
  }

  /** ('storage', type, key, location, elements, None): a storage that lies behind the pickles. */
  pushStorage(): void {
    const id = this.#pop();
    const [word, type, key, , elements] = Array.isArray(id) ? (id as unknown[]) : [];
    if (word !== 'storage' || !isName(type) || !Object.hasOwn(ELEMENT_BYTES, type.name))
      throw this.#file.fault('what it refers to is no storage');
    if (typeof key !== 'string' || !isCount(elements) || elements > LIMITS.elements)
      throw this.#file.fault('a storage has no key or no size');
    this.push({ kind: 'storage', type: type.name, key, elements } satisfies Storage);
  }

  /** A call of one of two names: an empty dictionary, or a view of a storage. */
  reduce(): void {
    const [args, called] = [this.#pop(), this.#pop()];
    if (!isName(called) || !Array.isArray(args)) throw this.#file.fault('it calls what is no name');
    if (called.name === 'collections OrderedDict' && args.length === 0) return this.push(new Map());
    if (called.name !== 'torch._utils _rebuild_tensor_v2')
      throw this.#file.fault(`it calls '${called.name}' in another way than a state dictionary does`);
    const [storage, offset, shape, strides] = args as unknown[];
    if (!isStorage(storage) || !isCount(offset) || !isShape(shape) || !isShape(strides))
      throw this.#file.fault('a tensor is not described as it should be');
    if (shape.length !== strides.length) throw this.#file.fault('a tensor has not as many strides as sides');
    this.push({ kind: 'view', storage, offset, shape, strides } satisfies View);
  }

  #pop(): unknown {
    if (this.#stack.length === 0) throw this.#file.fault('a pickle takes what is not there');
    return this.#stack.pop();
  }
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= LIMITS.dimensions && value.every(isCount);
}

type Instruction = (pickle: Unpickler, file: Cursor) => void;

const INSTRUCTIONS: Readonly<Partial<Record<number, Instruction>>> = {
  // PROTO, and the numbers: LONG1, BININT, BININT1, BININT2
  0x80: (_, file) => void file.u8(),
  0x8a: (pickle, file) => pickle.push(file.long()),
  0x4a: (pickle, file) => pickle.push(file.i32()),
  0x4b: (pickle, file) => pickle.push(file.u8()),
  0x4d: (pickle, file) => pickle.push(file.u16()),
  // BINUNICODE, NONE, NEWTRUE, NEWFALSE
  0x58: (pickle, file) => pickle.push(file.text()),
  0x4e: (pickle) => pickle.push(null),
  0x88: (pickle) => pickle.push(true),
  0x89: (pickle) => pickle.push(false),
  // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
  0x71: (pickle, file) => pickle.remember(file.u8()),
  0x72: (pickle, file) => pickle.remember(file.u32()),
  0x68: (pickle, file) => pickle.recall(file.u8()),
  0x6a: (pickle, file) => pickle.recall(file.u32()),
  // MARK, EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2
  0x28: (pickle) => pickle.push(MARK),
  0x29: (pickle) => pickle.push([]),
  0x74: (pickle) => pickle.push(pickle.marked()),
  0x85: (pickle) => pickle.push([pickle.pop()]),
  0x86: (pickle) => pickle.push([pickle.pop(), pickle.pop()].toReversed()),
  // EMPTY_LIST, APPENDS, EMPTY_DICT, SETITEM, SETITEMS
  0x5d: (pickle) => pickle.push([]),
  0x65: (pickle) => pickle.append(pickle.marked()),
  0x7d: (pickle) => pickle.push(new Map()),
  0x73: (pickle) => pickle.setItems([pickle.pop(), pickle.pop()].toReversed()),
  0x75: (pickle) => pickle.setItems(pickle.marked()),
  // GLOBAL, REDUCE, BINPERSID, BUILD: an ordered dictionary's own fields, which say nothing of its tensors
  0x63: (pickle, file) => pickle.pushName(`${file.line()} ${file.line()}`),
  0x52: (pickle) => pickle.reduce(),
  0x51: (pickle) => pickle.pushStorage(),
  0x62: (pickle) => void pickle.pop(),
};

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fault(what: string): Error {
    return new Error(`PyTorch file: ${what} (byte ${this.#at}).`);
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.fault('it ends too early');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  u8(): number {
    return this.take(1)[0];
  }

  u16(): number {
    this.take(2);
    return this.#view.getUint16(this.#at - 2, true);
  }

  u32(): number {
    this.take(4);
    return this.#view.getUint32(this.#at - 4, true);
  }

  i32(): number {
    this.take(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  u64(): number {
    this.take(8);
    const value = Number(this.#view.getBigUint64(this.#at - 8, true));
    if (value > LIMITS.elements) throw this.fault('a storage is too large');
    return value;
  }

  /** An integer of up to 255 bytes, two's complement. */
  long(): bigint {
    let value = 0n;
    const bytes = this.take(this.u8());
    for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
    return BigInt.asIntN(Math.max(1, 8 * bytes.length), value);
  }

  text(): string {
    return new TextDecoder('utf-8', { fatal: true }).decode(this.take(this.u32()));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.fault('a name does not end');
    const line = new TextDecoder().decode(this.take(end - this.#at));
    this.#at++;
    return line;
  }
}
