/** A pickle is a program: nothing but a state dictionary of floats is read, and nothing is run. */
import { describe, expect, it } from 'vitest';
import { readTorchFile } from '../../../scripts/backbone/torch-file.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const text = (value: string): number[] => [0x58, ...u32(ascii(value).length), ...ascii(value)];
const name = (module: string, word: string): number[] => [0x63, ...ascii(`${module}\n${word}\n`)];
const tuple = (...items: number[][]): number[] => [0x28, ...items.flat(), 0x74];
const pickle = (...body: number[]): number[] => [0x80, 2, ...body, 0x2e];
const byte = (value: number): number[] => [0x4b, value];

const MAGIC = pickle(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19);
const SYSTEM = pickle(0x7d, ...text('little_endian'), 0x88, 0x73);
const VERSION = pickle(0x4d, 0xe9, 0x03);
const HEADER = [...MAGIC, ...VERSION, ...SYSTEM];

const storage = (elements: number, type = 'FloatStorage'): number[] => [
  ...tuple(text('storage'), name('torch', type), text('7'), text('cpu'), byte(elements), [0x4e]),
  0x51,
];

function tensor(store: number[], offset: number, shape: number[], strides: number[]): number[] {
  const hooks = [...name('collections', 'OrderedDict'), 0x29, 0x52];
  const sizes = [shape, strides].map((list) => tuple(...list.map(byte)));
  const described = tuple(store, byte(offset), ...sizes, [0x89], hooks);
  return [...name('torch._utils', '_rebuild_tensor_v2'), ...described, 0x52];
}

const state = (value: number[]): number[] =>
  pickle(...name('collections', 'OrderedDict'), 0x29, 0x52, ...text('weight'), ...value, 0x73);
const keys = pickle(0x5d, 0x28, ...text('7'), 0x65);
const numbers = (...values: number[]): number[] => [
  ...u32(values.length),
  ...u32(0),
  ...new Uint8Array(Float32Array.from(values).buffer),
];
const file = (value: number[], ...rest: number[][]): Uint8Array =>
  Uint8Array.from([...HEADER, ...state(value), ...(rest.length > 0 ? rest.flat() : [...keys, ...numbers(1, 2, 3, 4, 5, 6)])]); // prettier-ignore

const whole = tensor(storage(6), 0, [6], [1]);

describe('a file of PyTorch', () => {
  it('gives tensors as their strides say', () => {
    const read = readTorchFile(file(tensor(storage(6), 0, [2, 3], [3, 1])));
    expect(read.get('weight')).toEqual({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) });
    const turned = readTorchFile(file(tensor(storage(6), 1, [2, 2], [1, 2])));
    expect(turned.get('weight')?.values).toEqual(Float32Array.of(2, 4, 3, 5));
  });

  it('gives a tensor for each name, and none for counts of batches', () => {
    const count = tensor(storage(6, 'LongStorage'), 0, [], []);
    const long = [...u32(6), ...u32(0), ...new Uint8Array(48)];
    expect([...readTorchFile(file(whole)).keys()]).toEqual(['weight']);
    expect(readTorchFile(file(count, keys, long)).size).toBe(0);
  });

  it('may hold a list of itself, which is followed nowhere', () => {
    // EMPTY_LIST, BINPUT 0, BINGET 0, APPEND
    const cycle = [0x5d, 0x71, 0, 0x68, 0, 0x61];
    expect(() => readTorchFile(file(cycle, pickle(0x5d)))).toThrow(
      /'weight' in its state dictionary is no tensor/,
    );
    expect(() => readTorchFile(file(tensor(cycle, 0, [6], [1])))).toThrow(/not described by a storage/);
  });

  it.each([
    ['another file', Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e), /begin with the magic number/],
    ['another version', Uint8Array.from([...MAGIC, ...pickle(...byte(9))]), /version is not 1001/],
    [
      'one of a big-endian machine',
      Uint8Array.from([...MAGIC, ...VERSION, ...pickle(0x7d)]),
      /little-endian/,
    ],
    ['another protocol', Uint8Array.of(0x80, 4, 0x2e), /protocol 4 is not read/],
    ['one that ends early', file(whole).subarray(0, -1), /has not the 6 numbers/],
    ['one that ends in a pickle', file(whole).subarray(0, 40), /Pickle: the file ends too early/],
    ['one that goes on', Uint8Array.from([...file(whole), 0]), /1 bytes follow/],
    ['a name that is not allowed', file(name('os', 'system')), /'os.system' is not among those/],
    ['a name without an end', pickled(0x63, 0x6f), /a name has no end/],
    [
      'a call of something else',
      file([...name('torch', 'FloatStorage'), 0x29, 0x52]),
      /calls something other/,
    ],
    ['a call of a string', file([...text('os'), 0x29, 0x52]), /calls something other/],
    [
      'a call of a dictionary with items',
      file([...name('collections', 'OrderedDict'), ...tuple(byte(1)), 0x52]),
      /calls something other/,
    ],
    [
      'a name among plain values',
      pickled(...name('collections', 'OrderedDict'), 0x2e),
      /should hold plain values/,
    ],
    ['an opcode that is not allowed', file([0x93]), /opcode 147 is not read/],
    ['a tensor beyond its storage', file(tensor(storage(6), 1, [2, 3], [3, 1])), /beyond its storage/],
    ['a tensor of nothing', file(tensor(storage(6), 0, [0, 3], [3, 1])), /beyond its storage/],
    [
      'a tensor of 255⁴ equal elements',
      file(tensor(storage(6), 0, [255, 255, 255, 255], [0, 0, 0, 0])),
      /more elements than it has bytes/,
    ],
    ['fewer strides than sides', file(tensor(storage(6), 0, [2, 3], [3])), /not described by a storage/],
    ['a storage of another size', file(tensor(storage(5), 0, [5], [1])), /has not the 5 numbers/],
    ['a storage of another kind', file(tensor(storage(6, 'HalfStorage'), 0, [6], [1])), /is not among those/],
    ['a storage of two sizes', file(tuple(storage(6), storage(5))), /described twice/],
    ['a string of 4 GB', file([0x58, 0xff, 0xff, 0xff, 0xff]), /ends too early/],
    ['a string that is not UTF-8', file([0x58, ...u32(1), 0xff]), /not UTF-8/],
    ['what is not in the memo', file([0x68, 9]), /the memo has no entry 9/],
    ['a list without a mark', file([0x74]), /the stack has no mark/],
    ['an empty stack', pickled(0x2e), /too few values/],
    ['values left over', pickled(...byte(1), ...byte(2), 0x2e), /left on the stack/],
    ['an item of a number', file([...byte(1), ...byte(1), ...byte(1), 0x73]), /no dictionary/],
    ['a list as a key', file([0x7d, 0x5d, ...byte(1), 0x73]), /neither a string nor a number/],
    ['a tuple that is appended to', file([0x29, ...byte(1), 0x61]), /is no list/],
    [
      'an entry that is no tensor',
      file(byte(1), pickle(0x5d)),
      /'weight' in its state dictionary is no tensor/,
    ],
    ['storages that are not listed', file(whole, pickle(...byte(1))), /no list of storages/],
    ['a storage that is missing', file(whole, pickle(0x5d)), /storage of 'weight' is missing/],
    ['a storage that no tensor has', file(byte(1), keys), /a storage that no tensor is of/],
    [
      'no state dictionary',
      Uint8Array.from([...HEADER, ...pickle(...byte(1)), ...pickle(0x5d)]),
      /no state dictionary/,
    ],
  ])('is refused in words: %s', (_, bytes, message) => {
    expect(() => readTorchFile(bytes)).toThrow(message);
  });
});

function pickled(...body: number[]): Uint8Array {
  return Uint8Array.from(body);
}
