/** Orientation from TIFF blocks: both byte orders, and blocks that end, point or count beyond what is there. */
import { describe, expect, it } from 'vitest';
import { hasExifPrefix, readOrientation } from '../../../src/image/exif.ts';

const ORIENTATION = 0x0112;
const PREFIX = [0x45, 0x78, 0x69, 0x66, 0, 0];

interface Entry {
  readonly tag?: number;
  readonly type?: number;
  readonly value?: number;
}

/** A TIFF block with one directory that lies at `at` and claims `count` entries. */
function tiff(
  entries: readonly Entry[],
  { little = false, at = 8, count = entries.length } = {},
): Uint8Array {
  const block = new Uint8Array(at + 2 + 12 * entries.length);
  const view = new DataView(block.buffer);
  view.setUint16(0, little ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, little);
  view.setUint32(4, at, little);
  view.setUint16(at, count, little);
  for (const [i, { tag = ORIENTATION, type = 3, value = 6 }] of entries.entries()) {
    view.setUint16(at + 2 + 12 * i, tag, little);
    view.setUint16(at + 4 + 12 * i, type, little);
    view.setUint32(at + 6 + 12 * i, 1, little);
    view.setUint16(at + 10 + 12 * i, value, little);
  }
  return block;
}

const OTHER = { tag: 0x010f };
const others = (count: number): Entry[] => Array.from({ length: count }, () => OTHER);

describe('readOrientation', () => {
  it.each([false, true])(
    'finds it in either byte order, with the prefix or without; little-endian: %s',
    (little) => {
      for (const value of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const block = tiff([OTHER, { value }, OTHER], { little, at: 21 });
        expect(readOrientation(block)).toBe(value);
        expect(readOrientation(Uint8Array.of(...PREFIX, ...block))).toBe(value);
      }
    },
  );

  it('takes no value but 1 to 8, of no other type and no other tag', () => {
    for (const entry of [{ value: 0 }, { value: 9 }, { type: 4 }, { tag: 0x0113 }])
      expect(readOrientation(tiff([entry]))).toBeUndefined();
  });

  it('takes no other order and no other magic number', () => {
    const block = tiff([{}]);
    expect(readOrientation(block.with(0, 0x4e))).toBeUndefined();
    expect(readOrientation(block.with(3, 43))).toBeUndefined();
    expect(readOrientation(tiff([{}], { little: true }).with(1, 0x4d))).toBeUndefined();
  });

  it('reads to the last byte, and not beyond it', () => {
    const block = tiff([OTHER, {}]);
    expect(readOrientation(block)).toBe(6);
    for (let length = 0; length < block.length; length++)
      expect(readOrientation(block.subarray(0, length)), `${length}`).toBeUndefined();
    // Entries that are claimed and not there end the search.
    expect(readOrientation(tiff([OTHER], { count: 2 }))).toBeUndefined();
    expect(readOrientation(tiff([], { at: 0xffff }).subarray(0, 0xffff))).toBeUndefined();
    expect(readOrientation(tiff([{}], { count: 0 }))).toBeUndefined();
  });

  it('reads within a larger buffer', () => {
    const block = tiff([{}]);
    const larger = Uint8Array.of(1, 2, 3, ...block, 4);
    expect(readOrientation(larger.subarray(3, 3 + block.length))).toBe(6);
  });

  it('searches 512 entries', () => {
    expect(readOrientation(tiff([...others(511), {}]))).toBe(6);
    expect(readOrientation(tiff([...others(512), {}]))).toBeUndefined();
  });
});

it('hasExifPrefix wants all six bytes', () => {
  const prefix = Uint8Array.from(PREFIX);
  expect(hasExifPrefix(prefix)).toBe(true);
  expect(hasExifPrefix(prefix.subarray(0, 5))).toBe(false);
  for (const at of prefix.keys()) expect(hasExifPrefix(prefix.with(at, 1))).toBe(false);
});
