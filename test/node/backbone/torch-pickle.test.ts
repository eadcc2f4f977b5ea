/** A pickle is a program: nothing but a state dictionary of floats is read, and nothing is run. */
import { describe, expect, it } from 'vitest';
import { readTorchTensors } from '../../../scripts/backbone/torch-pickle.ts';

const ascii = (text: string): number[] => [...new TextEncoder().encode(text)];
const u32 = (value: number): number[] => [...new Uint8Array(Uint32Array.of(value).buffer)];
const text = (value: string): number[] => [0x58, ...u32(ascii(value).length), ...ascii(value)];
const name = (module: string, word: string): number[] => [0x63, ...ascii(`${module}\n${word}\n`)];
const tuple = (...items: number[][]): number[] => [0x28, ...items.flat(), 0x74];
const pickle = (...body: number[]): number[] => [0x80, 2, ...body, 0x2e];
const byte = (value: number): number[] => [0x4b, value];

const MAGIC = pickle(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19);
const HEADER = [...MAGIC, ...pickle(0x4d, 0xe9, 0x03), ...pickle(0x7d)];

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

describe('a file of PyTorch', () => {
  it('gives tensors as their strides say', () => {
    const read = readTorchTensors(file(tensor(storage(6), 0, [2, 3], [3, 1])));
    expect(read.get('weight')).toEqual({ shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) });
    const turned = readTorchTensors(file(tensor(storage(6), 1, [2, 2], [1, 2])));
    expect(turned.get('weight')?.values).toEqual(Float32Array.of(2, 4, 3, 5));
  });

  it.each([
    ['another file', Uint8Array.of(0x80, 2, 0x4b, 1, 0x2e), /form before 1\.6/],
    ['one that ends early', file(tensor(storage(6), 0, [2, 3], [3, 1])).subarray(0, -1), /ends too early/],
    ['a name that is not allowed', file(name('os', 'system')), /names 'os system', which is not allowed/],
    [
      'a call of something else',
      file([...name('torch', 'FloatStorage'), 0x29, 0x52]),
      /calls 'torch FloatStorage'/,
    ],
    ['an instruction that is not allowed', file([0x93]), /instruction 0x93 is not allowed/],
    ['a tensor beyond its storage', file(tensor(storage(6), 1, [2, 3], [3, 1])), /beyond its storage/],
    ['fewer strides than sides', file(tensor(storage(6), 0, [2, 3], [3])), /as many strides as sides/],
    ['a storage of another size', file(tensor(storage(5), 0, [5], [1])), /has 6 elements instead of 5/],
    ['a storage of another kind', file(tensor(storage(6, 'HalfStorage'), 0, [6], [1])), /not allowed/],
    ['what is not remembered', file([0x68, 9]), /nothing is remembered as 9/],
    ['a list without a beginning', file([0x74]), /no beginning/],
    ['an empty stack', pickled(0x2e), /not there/],
    ['an entry that is no tensor', file(byte(1), pickle(0x5d)), /is no tensor: weight/],
    [
      'storages that are not listed',
      file(tensor(storage(6), 0, [6], [1]), pickle(...byte(1))),
      /list its storages/,
    ],
    ['a storage that no tensor has', file(byte(1), keys), /a storage that no tensor has: 7/],
  ])('is refused in words: %s', (_, bytes, message) => {
    expect(() => readTorchTensors(bytes)).toThrow(message);
  });
});

function pickled(...body: number[]): Uint8Array {
  return Uint8Array.from(body);
}
