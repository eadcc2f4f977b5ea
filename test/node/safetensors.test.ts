import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/safetensors.ts';
import {
  asFloat16,
  asFloat32,
  DEFAULT_LIMITS,
  readSafetensors,
  tensorOf,
  asFloats,
  writeSafetensors,
} from '../../src/safetensors.ts';
import { thrownBy } from './thrown.ts';

/** A file of this header, padded or not, and so many bytes of data. */
function file(header: string | Uint8Array, dataBytes = 0, claimed?: bigint): Uint8Array {
  const json = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, claimed ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function tensor(offsets: string, shape = '[1]', dtype = '"F32"'): string {
  return `{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}`;
}

function expectCorrupt(bytes: Uint8Array, message: string, limits = DEFAULT_LIMITS): void {
  const error = thrownBy(() => readSafetensors(bytes, limits));
  expect(error.code).toBe('file_corrupt');
  expect(error.message).toContain(message);
}

function two(a: string, b: string): string {
  return `{"a":${a},"b":${b}}`;
}

describe('writing and reading', () => {
  const tensors = new Map<string, Tensor>([
    ['zebra', tensorOf(Float32Array.of(1.5, -2, 3), [3])],
    ['2', tensorOf(Float16Array.of(0.5, 65504), [2, 1])],
    ['10', { dtype: 'U8', shape: [], bytes: Uint8Array.of(7) }],
    ['empty', tensorOf(new Float32Array(0), [0, 4])],
  ]);

  it('gives back what was written', () => {
    const { metadata, tensors: read } = readSafetensors(writeSafetensors(tensors, { b: 'ü', a: '' }));
    expect({ ...metadata }).toEqual({ a: '', b: 'ü' });
    expect(new Set(read.keys())).toEqual(new Set(tensors.keys()));
    for (const [name, { dtype, shape, bytes }] of tensors) {
      expect(read.get(name)).toEqual({ dtype, shape, bytes });
    }
  });

  it('writes the same bytes whatever the order of tensors and metadata', () => {
    const one = writeSafetensors(tensors, { a: '1', b: '2' });
    const other = writeSafetensors(new Map([...tensors].toReversed()), { b: '2', a: '1' });
    expect(other).toEqual(one);
  });

  it('writes this very file', () => {
    const written = writeSafetensors(new Map([['w', tensorOf(Float32Array.of(1), [1])]]), { k: 'v' });
    const header = '{"__metadata__":{"k":"v"},"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(header.length % 8).toBe(7);
    const expected = file(`${header} `, 4);
    expected.set([0, 0, 0x80, 0x3f], expected.length - 4);
    expect(written).toEqual(expected);
  });

  it('reads a file that lies at an odd place in its buffer, and a Buffer', () => {
    const written = writeSafetensors(tensors);
    const shifted = new Uint8Array(written.length + 1).subarray(1);
    shifted.set(written);
    for (const bytes of [shifted, Buffer.from(shifted.buffer, 1)]) {
      const read = readSafetensors(bytes).tensors;
      expect([...asFloat32(read.get('zebra')!, 'zebra')]).toEqual([1.5, -2, 3]);
      expect([...asFloat16(read.get('2')!, '2')]).toEqual([0.5, 65504]);
      expect([...asFloats(read.get('2')!, '2')]).toEqual([0.5, 65504]);
    }
  });

  it('reads tensors named like properties of objects', () => {
    const named = new Map(
      ['__proto__', 'constructor', 'toString'].map((name) => [name, tensorOf(Float32Array.of(1), [1])]),
    );
    const written = writeSafetensors(named, { ['__proto__']: 'x' });
    const { tensors: read, metadata } = readSafetensors(written);
    expect([...read.keys()].sort()).toEqual(['__proto__', 'constructor', 'toString']);
    expect(metadata['constructor']).toBeUndefined();
    expect(Object.keys(metadata)).toEqual(['__proto__']);
  });

  it('refuses to write a tensor whose bytes do not fit its shape', () => {
    expect(() => writeSafetensors(new Map([['w', tensorOf(Float32Array.of(1), [2])]]))).toThrow(RangeError);
  });

  it('refuses to view a tensor as another type', () => {
    expect(() => asFloat16(tensorOf(Float32Array.of(1), [1]), 'w')).toThrow("tensor 'w' is F32 where F16");
    expect(() => asFloats({ dtype: 'U8', shape: [1], bytes: Uint8Array.of(1) }, 'w')).toThrow('is U8');
  });
});

describe('a hostile file is refused', () => {
  const nested = `{"a":${'['.repeat(100_000)}`;
  const fields = Array.from({ length: 100_000 }, (_, i) => `"${i}":0`).join();
  const cases: [what: string, bytes: Uint8Array, message: string][] = [
    ['nothing', new Uint8Array(0), 'only 0 bytes'],
    ['half a length', new Uint8Array(7), 'only 7 bytes'],
    ['a header of no bytes', file(''), 'does not begin with {'],
    ['a header longer than the file', file('{}', 0, 3n), 'claims 3 bytes, but only 2 follow'],
    ['a header of 2^64 − 1 bytes', file('{}', 0, 2n ** 64n - 1n), 'more than the'],
    ['a header that is no JSON', file('{"a":'), 'not JSON'],
    ['a header that is no object', file('[]'), 'does not begin with {'],
    ['a header with something after it', file('{} {}'), 'not JSON'],
    ['a header with spaces before it', file('  {}'), 'does not begin with {'],
    ['a header that is not UTF-8', file(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'not UTF-8'],
    ['a string without end', file('{"a'), 'does not end'],
    ['brackets nested 100,000 deep', file(nested), 'nests deeper'],
    ['a million lists', file(`{"a":[${'[],'.repeat(1e6)}[]]}`), 'objects, lists and keys'],
    ['fields without end', file(`{"a":{${fields}}}`), 'objects, lists and keys'],
    ['a tensor twice', file(`{"a":${tensor('[0,4]')},"a":${tensor('[0,4]')}}`, 4), 'twice'],
    [
      'a tensor twice, once escaped',
      file(`{"a":${tensor('[0,4]')},"\\u0061" :${tensor('[0,4]')}}`, 4),
      'twice',
    ],
    [
      'a field twice',
      file('{"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}}', 4),
      'twice',
    ],
    ['a tensor that is no object', file('{"a":5}'), 'described by no object'],
    ['a tensor that is null', file('{"a":null}'), 'described by no object'],
    ['a tensor without a shape', file('{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4), 'no list'],
    ['a tensor with another field', file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}', 4), 'fields besides'], // prettier-ignore
    ['an unknown type', file(`{"a":${tensor('[0,4]', '[1]', '"F33"')}}`, 4), 'unknown type'],
    ['a type named like a property of objects', file(`{"a":${tensor('[0,4]', '[1]', '"constructor"')}}`, 4), 'unknown type'], // prettier-ignore
    ['a negative side', file(`{"a":${tensor('[0,4]', '[-1]')}}`, 4), 'whole numbers'],
    ['a broken side', file(`{"a":${tensor('[0,4]', '[0.5]')}}`, 4), 'whole numbers'],
    ['a side beyond 2^53', file(`{"a":${tensor('[0,4]', '[9007199254740993]')}}`, 4), 'whole numbers'],
    [
      'sides that multiply beyond 2^53',
      file(`{"a":${tensor('[0,4]', '[4294967296,4294967296]')}}`, 4),
      'not those of',
    ],
    ['nine dimensions', file(`{"a":${tensor('[0,4]', '[1,1,1,1,1,1,1,1,1]')}}`, 4), 'more than 8'],
    ['a shape larger than the bytes', file(`{"a":${tensor('[0,4]', '[2]')}}`, 4), 'not those of F32 [2]'],
    ['offsets beyond the data', file(`{"a":${tensor('[0,8]', '[2]')}}`, 4), 'outside the 4 bytes'],
    ['offsets in reverse', file(`{"a":${tensor('[4,0]')}}`, 4), 'outside'],
    ['one offset', file(`{"a":${tensor('[0]')}}`, 4), 'outside'],
    ['three offsets', file(`{"a":${tensor('[0,4,8]')}}`, 8), 'outside'],
    ['offsets that are strings', file(`{"a":${tensor('["0","4"]')}}`, 4), 'whole numbers'],
    ['two tensors on the same bytes', file(two(tensor('[0,4]'), tensor('[0,4]')), 4), 'overlaps'],
    ['two tensors that overlap', file(two(tensor('[0,8]', '[2]'), tensor('[4,12]', '[2]')), 12), 'overlaps'],
    [
      'a hole between tensors',
      file(two(tensor('[0,4]'), tensor('[8,12]')), 12),
      'covers the bytes from 4 to 8',
    ],
    ['bytes before the first tensor', file(`{"a":${tensor('[4,8]')}}`, 8), 'covers the bytes from 0 to 4'],
    ['bytes after the last tensor', file(`{"a":${tensor('[0,4]')}}`, 5), 'covers the bytes from 4 to 5'],
    ['bytes without a tensor', file('{}', 1), 'covers the bytes from 0 to 1'],
    ['metadata that are no object', file('{"__metadata__":[]}'), 'metadata are no object'],
    ['metadata that are no strings', file('{"__metadata__":{"a":1}}'), 'no string'],
  ];
  for (const [what, bytes, message] of cases) {
    it(what, () => {
      expectCorrupt(bytes, message);
    });
  }

  it('more tensors than allowed', () => {
    const header = `{${Array.from({ length: 11 }, (_, i) => `"t${i}":${tensor('[0,0]', '[0]')}`).join(',')}}`;
    expectCorrupt(file(header), '11 tensors', { ...DEFAULT_LIMITS, tensors: 10 });
    expect(readSafetensors(file(header), { ...DEFAULT_LIMITS, tensors: 11 }).tensors.size).toBe(11);
  });

  it('more bytes than allowed', () => {
    expectCorrupt(file('{}', 100), 'more than the 50 allowed', { ...DEFAULT_LIMITS, fileBytes: 50 });
  });

  it('a longer header than allowed', () => {
    expectCorrupt(file(`{}${' '.repeat(100)}`), 'more than the 50', { ...DEFAULT_LIMITS, headerBytes: 50 });
  });

  // A pattern that looks back at each quote would take hours.
  it('megabytes of quotes', () => {
    expectCorrupt(file(`{${'"\\'.repeat(2_000_000)}`), 'not valid');
  });
});
