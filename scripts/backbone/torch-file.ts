/**
 * Reads a state dictionary that PyTorch before 1.6 saved (torch/serialization.py, `_legacy_save`): five pickles (a magic
 * number, a version, sizes of C's types, the dictionary, the list of its storages) and then each storage's length and
 * numbers. Needs no Python: four names are known, everything else is refused, and sizes are bounded by the file.
 */
import { readPickle, type PickleHost } from './pickle.ts';

export interface TorchTensor {
  readonly shape: readonly number[];
  /** Row-major. */
  readonly values: Float32Array;
}

const MAGIC = 0x1950a86a20f9469cfc6cn;
const VERSION = 1001;
const MAX_DIMENSIONS = 8;
const COUNT_BYTES = 8;

/**
 * @returns the tensors in single precision by name. Whole numbers (how many batches a norm has seen) are left out.
 * @throws Error saying what is wrong when the file is anything but a state dictionary, or reaches beyond its end.
 */
export function readTorchFile(bytes: Uint8Array): Map<string, TorchTensor> {
  const host = new StateHost();
  const magic = readPickle(bytes, 0, NOTHING);
  if (magic.value !== MAGIC) throw new Error('PyTorch file: it does not begin with the magic number.');
  const version = readPickle(bytes, magic.end, NOTHING);
  if (version.value !== VERSION) throw new Error(`PyTorch file: its version is not ${VERSION}.`);
  const system = readPickle(bytes, version.end, NOTHING);
  if (!(system.value instanceof Map) || system.value.get('little_endian') !== true) {
    throw new Error('PyTorch file: its numbers are not little-endian.');
  }
  const state = readPickle(bytes, system.end, host);
  const keys = readPickle(bytes, state.end, NOTHING);
  readStorages(bytes, keys, host.storages);
  return readState(state.value, bytes.length);
}

/** Numbers on which tensors look. Which they are is known only after the pickles. */
interface Storage {
  readonly kind: 'float' | 'long';
  readonly length: number;
  values?: Float32Array;
}

/** A view on a storage. Offset and strides are in elements. */
class StoredTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: Storage, offset: number, shape: readonly number[], strides: readonly number[]) {
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

/** The names that a state dictionary is made of, as module and name. */
const DICTIONARY = 'collections OrderedDict';
const REBUILD = 'torch._utils _rebuild_tensor_v2';
const STORAGE_KINDS: ReadonlyMap<unknown, Storage['kind']> = new Map([
  ['torch FloatStorage', 'float'],
  ['torch LongStorage', 'long'],
]);

/** A name that the pickle has given; of a class of its own, so that no string of the file can pass for one. */
class Name {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Knows a state dictionary's names. */
class StateHost implements PickleHost {
  readonly storages = new Map<string, Storage>();

  global(module: string, name: string): Name {
    const text = `${module} ${name}`;
    if (text === DICTIONARY || text === REBUILD || STORAGE_KINDS.has(text)) return new Name(text);
    throw new Error(`PyTorch file: the name '${module}.${name}' is not among those that are read.`);
  }

  call(callable: unknown, parameters: readonly unknown[]): unknown {
    const name = callable instanceof Name ? callable.text : '';
    if (name === DICTIONARY && parameters.length === 0) return new Map();
    if (name === REBUILD) return rebuild(parameters);
    throw new Error('PyTorch file: it calls something other than OrderedDict() and _rebuild_tensor_v2(…).');
  }

  /** ('storage', kind, key, place, length, view), where a view on another storage is not read. */
  persistent(id: unknown): Storage {
    const [tag, kindName, key, , length, view] = Array.isArray(id) ? (id as unknown[]) : [];
    const kind = STORAGE_KINDS.get(kindName instanceof Name ? kindName.text : undefined);
    if (
      tag !== 'storage' ||
      kind === undefined ||
      typeof key !== 'string' ||
      !isCount(length) ||
      view !== null
    ) {
      throw new Error('PyTorch file: it refers to something other than a storage of numbers.');
    }
    const known = this.storages.get(key);
    if (known !== undefined && (known.kind !== kind || known.length !== length)) {
      throw new Error(`PyTorch file: the storage ${key} is described twice, and differently.`);
    }
    const storage = known ?? { kind, length };
    this.storages.set(key, storage);
    return storage;
  }
}

/** For pickles of plain values. */
const NOTHING: PickleHost = { global: refuse, call: refuse, persistent: refuse };

function refuse(): never {
  throw new Error('PyTorch file: a pickle that should hold plain values asks for more.');
}

/** _rebuild_tensor_v2(storage, offset, shape, strides, …). */
function rebuild([storage, offset, shape, strides]: readonly unknown[]): StoredTensor {
  const valid = isStorage(storage) && isCount(offset) && isCounts(shape) && isCounts(strides);
  if (!valid || shape.length !== strides.length || shape.length > MAX_DIMENSIONS) {
    throw new Error('PyTorch file: a tensor is not described by a storage, an offset, sides and strides.');
  }
  const last = shape.reduce((at, side, i) => at + (side - 1) * strides[i], offset);
  if (shape.includes(0) || last >= storage.length) {
    throw new Error(
      `PyTorch file: a tensor [${shape.join(', ')}] reaches beyond its storage of ${storage.length}.`,
    );
  }
  return new StoredTensor(storage, offset, shape, strides);
}

function readStorages(
  bytes: Uint8Array,
  keys: { value: unknown; end: number },
  storages: Map<string, Storage>,
): void {
  if (!Array.isArray(keys.value)) throw new Error('PyTorch file: it has no list of storages.');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = keys.end;
  for (const key of keys.value as unknown[]) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (storage === undefined) throw new Error('PyTorch file: it lists a storage that no tensor is of.');
    if (at + COUNT_BYTES > bytes.length)
      throw new Error(`PyTorch file: it ends before the storage ${String(key)}.`);
    const length = view.getBigUint64(at, true);
    const start = at + COUNT_BYTES;
    at = start + storage.length * (storage.kind === 'float' ? 4 : 8);
    if (length !== BigInt(storage.length) || at > bytes.length) {
      throw new Error(
        `PyTorch file: the storage ${String(key)} has not the ${storage.length} numbers that it should.`,
      );
    }
    // Not slice(): Node's Buffer makes that a view, which may lie at any byte.
    if (storage.kind === 'float')
      storage.values = new Float32Array(new Uint8Array(bytes.subarray(start, at)).buffer);
  }
  if (at !== bytes.length)
    throw new Error(`PyTorch file: ${bytes.length - at} bytes follow its last storage.`);
}

function readState(state: unknown, maxElements: number): Map<string, TorchTensor> {
  if (!(state instanceof Map)) throw new Error('PyTorch file: it holds no state dictionary.');
  const tensors = new Map<string, TorchTensor>();
  let elements = 0;
  for (const [name, tensor] of state as Map<unknown, unknown>) {
    if (typeof name !== 'string' || !(tensor instanceof StoredTensor)) {
      throw new Error(`PyTorch file: '${String(name)}' in its state dictionary is no tensor.`);
    }
    if (tensor.storage.kind === 'long') continue;
    // Many tensors may look on one storage: together they may not become more than the file.
    elements += tensor.shape.reduce((product, side) => product * side, 1);
    if (elements > maxElements)
      throw new Error('PyTorch file: its tensors have more elements than it has bytes.');
    tensors.set(name, { shape: tensor.shape, values: gather(tensor, name) });
  }
  return tensors;
}

/** The elements in row-major order. */
function gather({ storage, offset, shape, strides }: StoredTensor, name: string): Float32Array {
  const { values } = storage;
  if (values === undefined) throw new Error(`PyTorch file: the storage of '${name}' is missing.`);
  const result = new Float32Array(shape.reduce((product, side) => product * side, 1));
  const index = shape.map(() => 0);
  let from = offset;
  for (let to = 0; to < result.length; to++) {
    result[to] = values[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return result;
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && 'kind' in value && 'length' in value;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isCount);
}
