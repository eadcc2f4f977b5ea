/**
 * A restricted reader of Python's pickles, protocol 2 (the opcodes are described in CPython's Lib/pickletools.py). A
 * pickle is a program for a small stack machine that may call any function by its name; this one calls nothing: what a
 * name stands for and what a call of it gives is decided by the host, and opcodes that no state dictionary of PyTorch
 * needs are refused. Every opcode takes at least a byte and copies nothing, so that the work is bounded by the file.
 */

/** What a pickle may ask for besides plain values. Each throws where it allows no such thing. */
export interface PickleHost {
  /** A name, for example 'collections' 'OrderedDict'. */
  global(module: string, name: string): unknown;
  /** A call of what `global` returned. */
  call(callable: unknown, parameters: readonly unknown[]): unknown;
  /** Something outside the pickle. */
  persistent(id: unknown): unknown;
}

export interface Pickle {
  /** Tuples are frozen arrays, lists arrays, dictionaries maps; whole numbers of up to 8 bytes may be bigints. */
  readonly value: unknown;
  /** Of its last byte, plus one. */
  readonly end: number;
}

/**
 * Reads the pickle that begins at byte `start`.
 * @throws Error saying at which byte what is wrong.
 */
export function readPickle(bytes: Uint8Array, start: number, host: PickleHost): Pickle {
  const machine = new Machine(bytes, start, host);
  for (;;) {
    const code = machine.byte();
    if (code === STOP) return { value: machine.result(), end: machine.offset };
    const operation = OPERATIONS.get(code);
    if (operation === undefined) throw machine.failure(`opcode ${code} is not read`);
    operation(machine);
  }
}

const PROTOCOL = 2;
const STOP = 0x2e;
const MARK = Symbol('mark');

class Machine {
  offset: number;
  readonly host: PickleHost;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(bytes: Uint8Array, start: number, host: PickleHost) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = start;
    this.host = host;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.failure('the stack holds too few values');
    return value;
  }

  /** The values above the latest mark, which are taken off the stack with it. */
  popToMark(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.failure('the stack has no mark');
    return this.#stack.splice(mark).slice(1);
  }

  top(): unknown {
    const value = this.pop();
    this.push(value);
    return value;
  }

  result(): unknown {
    const value = this.pop();
    if (this.#stack.length > 0) throw this.failure('values are left on the stack');
    return value;
  }

  put(index: number): void {
    this.#memo.set(index, this.top());
  }

  get(index: number): void {
    if (!this.#memo.has(index)) throw this.failure(`the memo has no entry ${index}`);
    this.push(this.#memo.get(index));
  }

  tuple(items: unknown[]): void {
    this.push(Object.freeze(items));
  }

  append(items: readonly unknown[]): void {
    const list = this.top();
    if (!Array.isArray(list) || Object.isFrozen(list)) throw this.failure('what is appended to is no list');
    for (const item of items) list.push(item);
  }

  setItems(items: readonly unknown[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Map)) throw this.failure('what an item is set in is no dictionary');
    if (items.length % 2 !== 0) throw this.failure('a key has no value');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== 'string' && typeof key !== 'number') {
        throw this.failure('a key is neither a string nor a number');
      }
      dictionary.set(key, items[i + 1]);
    }
  }

  byte(): number {
    return this.#bytes[this.#advance(1)];
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  i32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A whole number in two's complement, little-endian. */
  long(length: number): bigint {
    const start = this.#advance(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]);
    return BigInt.asIntN(8 * length, value);
  }

  text(length: number): string {
    const start = this.#advance(length);
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw this.failure('a string is not UTF-8', cause);
    }
  }

  /** Up to the next line feed. */
  line(): string {
    const end = this.#bytes.indexOf(LINE_FEED, this.offset);
    if (end < 0) throw this.failure('a name has no end');
    const text = this.text(end - this.offset);
    this.offset = end + 1;
    return text;
  }

  failure(what: string, cause?: unknown): Error {
    return new Error(`Pickle: ${what} (before byte ${this.offset}).`, { cause });
  }

  #advance(length: number): number {
    const start = this.offset;
    if (start + length > this.#bytes.length) throw this.failure('the file ends too early');
    this.offset = start + length;
    return start;
  }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true });
const LINE_FEED = 0x0a;

const OPERATIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map([
  [0x80, protocol],
  [0x28, (m): void => m.push(MARK)],
  // Plain values.
  [0x4e, (m): void => m.push(null)],
  [0x88, (m): void => m.push(true)],
  [0x89, (m): void => m.push(false)],
  [0x4a, (m): void => m.push(m.i32())],
  [0x4b, (m): void => m.push(m.byte())],
  [0x4d, (m): void => m.push(m.u16())],
  [0x8a, (m): void => m.push(m.long(m.byte()))],
  [0x58, (m): void => m.push(m.text(m.u32()))],
  // Containers.
  [0x29, (m): void => m.tuple([])],
  [0x85, (m): void => m.tuple([m.pop()])],
  [0x86, (m): void => m.tuple([m.pop(), m.pop()].toReversed())],
  [0x87, (m): void => m.tuple([m.pop(), m.pop(), m.pop()].toReversed())],
  [0x74, (m): void => m.tuple(m.popToMark())],
  [0x5d, (m): void => m.push([])],
  [0x61, (m): void => m.append([m.pop()])],
  [0x65, (m): void => m.append(m.popToMark())],
  [0x7d, (m): void => m.push(new Map())],
  [0x73, (m): void => m.setItems([m.pop(), m.pop()].toReversed())],
  [0x75, (m): void => m.setItems(m.popToMark())],
  // The memo.
  [0x71, (m): void => m.put(m.byte())],
  [0x72, (m): void => m.put(m.u32())],
  [0x68, (m): void => m.get(m.byte())],
  [0x6a, (m): void => m.get(m.u32())],
  // What the host decides.
  [0x63, (m): void => m.push(m.host.global(m.line(), m.line()))],
  [0x51, (m): void => m.push(m.host.persistent(m.pop()))],
  [0x52, call],
  // Attributes for the object below them, such as PyTorch's version numbers of layers: left out.
  [0x62, (m): void => void m.pop()],
]);

function protocol(machine: Machine): void {
  const version = machine.byte();
  if (version !== PROTOCOL) throw machine.failure(`protocol ${version} is not read, only ${PROTOCOL}`);
}

function call(machine: Machine): void {
  const parameters = machine.pop();
  if (!Array.isArray(parameters) || !Object.isFrozen(parameters)) {
    throw machine.failure('the parameters of a call are no tuple');
  }
  machine.push(machine.host.call(machine.pop(), parameters));
}
