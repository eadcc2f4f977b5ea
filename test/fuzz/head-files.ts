/** Head files that are nearly right: headers, offsets and shapes that lie, and numbers that pass every check and make no sense. */
import { z } from 'zod';
import { changeBytes, joined, little32, type Bytes } from './bytes.ts';
import { changeSomewhere, written, type Json } from './json.ts';
import type { Random } from './random.ts';

const LENGTH_BYTES = 8;
const NUMBERS = [NaN, Infinity, -Infinity, 0, -0, 1e-45, 1e-38, 3.4e38, -3.4e38, 1e6, -1e6, 65_504];

const Tensor = z.object({ dtype: z.string(), data_offsets: z.tuple([z.number(), z.number()]) });

interface Parts {
  readonly header: Json;
  readonly data: Uint8Array;
}

const parsed = (text: string): Json => z.json().parse(JSON.parse(text));

function partsOf(file: Uint8Array): Parts {
  const length = new DataView(file.buffer, file.byteOffset).getUint32(0, true);
  const header = parsed(new TextDecoder().decode(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length)));
  return { header, data: file.subarray(LENGTH_BYTES + length) };
}

/** @param file a head that is valid. */
export function fuzzedHeadFile(random: Random, file: Uint8Array): Bytes {
  const { header, data } = partsOf(file);
  return random.do(
    () => fileOf(random, changeSomewhere(random, header), data),
    () => fileOf(random, changeMetadata(random, header), data),
    () => fileOf(random, changeMetadata(random, header), data),
    () => fileOf(random, header, changeNumbers(random, header, data)),
    () => fileOf(random, changeMetadata(random, header), changeNumbers(random, header, data)),
    () => fileOf(random, header, changeBytes(random, data)),
    () => changeBytes(random, file),
  );
}

function fileOf(random: Random, header: Json, data: Uint8Array): Bytes {
  const json = new TextEncoder().encode(written(header));
  const claimed = random.oneIn(12) ? random.odd(32) : json.length;
  return joined(little32(claimed), little32(random.oneIn(30) ? random.odd(32) : 0), json, data);
}

const isObject = (value: Json | undefined): value is { readonly [name: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The metadata's values are JSON in strings. */
function changeMetadata(random: Random, header: Json): Json {
  const metadata = isObject(header) ? header['__metadata__'] : undefined;
  if (!isObject(header) || !isObject(metadata)) return header;
  const key = random.pick(Object.keys(metadata));
  const value = metadata[key];
  if (typeof value !== 'string' || key === 'format')
    return { ...header, __metadata__: changeSomewhere(random, metadata) };
  const inner = changeSomewhere(random, parsed(value));
  return { ...header, __metadata__: { ...metadata, [key]: written(inner) } };
}

/** Some of one tensor's numbers, or all. */
function changeNumbers(random: Random, header: Json, data: Uint8Array): Bytes {
  const copy = new Uint8Array(data);
  if (!isObject(header)) return copy;
  const name = random.pick(Object.keys(header).filter((each) => each !== '__metadata__'));
  const { dtype, data_offsets: offsets } = Tensor.parse(header[name]);
  const [begin, end] = offsets;
  const half = dtype === 'F16';
  const view = new DataView(copy.buffer);
  const size = half ? 2 : 4;
  const value = random.pick(NUMBERS);
  const every = random.oneIn(2) ? size : size * (1 + random.below(100));
  for (let at = begin; at + size <= end; at += every) {
    if (half) view.setFloat16(at, value, true);
    else view.setFloat32(at, value, true);
  }
  return copy;
}
