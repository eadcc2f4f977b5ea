/** Head files that are none, lie, or belong elsewhere: refused, and the head stays as it was. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { writeHead } from '../../src/head/index.ts';
import { readSafetensors, writeSafetensors } from '../../src/safetensors.ts';
import { MAX_HEAD_BYTES } from '../../worker/limits.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { Isolate, makeHead, makeHeadFile, problemOf } from './support.ts';

const isolate = new Isolate();
let key = '';
let file: Uint8Array;

beforeAll(async () => {
  key = (await isolate.newTenant()).key;
  file = await makeHeadFile();
  expect((await isolate.put(key, 'pets', file)).status).toBe(201);
});

afterEach(async () => {
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
});

describe('head files', () => {
  it.each<[string, () => Uint8Array, number, string]>([
    ['nothing', () => new Uint8Array(0), 400, 'body_empty'],
    ['text', () => new TextEncoder().encode('hello, world'), 422, 'head_invalid'],
    ['half a file', () => file.subarray(0, file.length / 2), 422, 'head_invalid'],
    ['a header longer than the file', () => withHeaderLength(2 ** 31), 422, 'head_invalid'],
    ['a header of 2^63 bytes', () => withHeaderLength(2 ** 62), 422, 'head_invalid'],
    [
      'overlapping tensors',
      () => withHeader((header) => (header['mean'].data_offsets = header['weights'].data_offsets)),
      422,
      'head_invalid',
    ],
    [
      'an offset beyond the end',
      () => withHeader((header) => (header['mean'].data_offsets = [0, 1e12])),
      422,
      'head_invalid',
    ],
    ['a hole', () => new Uint8Array([...file, 0, 0, 0, 0]), 422, 'head_invalid'],
    ['an unknown tensor', unknownTensor, 422, 'head_invalid'],
    ['not a number', notANumber, 422, 'head_invalid'],
    ['duplicate labels', () => withMetadata('labels', JSON.stringify(['cat', 'cat'])), 422, 'head_invalid'],
    [
      'a million labels',
      () => withMetadata('labels', JSON.stringify(Array.from({ length: 1e6 }, (_, i) => `${i}`))),
      413,
      'head_too_large',
    ],
    [
      'metadata of nothing but brackets, which fit no memory',
      () => withMetadata('training', '['.repeat(4e6)),
      413,
      'head_too_large',
    ],
    ['weights that do not do what they promise', () => withMetadata('temperature', '7'), 422, 'head_invalid'],
    [
      'another backbone',
      () =>
        withMetadata(
          'backbone',
          JSON.stringify({ name: 'x', version: '1', weights_sha256: 'ab'.repeat(32) }),
        ),
      409,
      'backbone_mismatch',
    ],
    ['more bytes than allowed', () => new Uint8Array(MAX_HEAD_BYTES + 1), 413, 'body_too_large'],
  ])('%s', async (_, bytes, status, code) => {
    expect(await problemOf(await isolate.put(key, 'pets', bytes()))).toEqual({ status, code });
    const detail = await isolate.call('/v1/heads/pets', { key });
    expect(await detail.json()).toMatchObject({ version: 1, versions: [{ version: 1 }] });
  });

  it('taps in another order', async () => {
    const { plan, input } = runtime;
    const reversed = { plan: { ...plan, taps: plan.taps.toReversed() }, input };
    const response = await isolate.put(key, 'pets', writeHead(await makeHead(['a', 'b'], 1, reversed)));
    expect(await problemOf(response)).toEqual({ status: 409, code: 'backbone_mismatch' });
  });

  it('a content type that is none of a file', async () => {
    const response = await isolate.call('/v1/heads/pets', {
      key,
      method: 'PUT',
      type: 'image/png',
      body: file,
    });
    expect(await problemOf(response)).toEqual({ status: 415, code: 'unsupported_media_type' });
  });
});

function changed(change: (tensors: ReturnType<typeof tensorsOf>) => void): Uint8Array {
  const tensors = tensorsOf();
  change(tensors);
  return writeSafetensors(tensors, readSafetensors(file).metadata);
}
const tensorsOf = () => new Map(readSafetensors(file).tensors);

function withMetadata(name: string, value: string): Uint8Array {
  const { tensors, metadata } = readSafetensors(file);
  return writeSafetensors(tensors, { ...metadata, [name]: value });
}

function withHeaderLength(length: number): Uint8Array {
  const bytes = file.slice();
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  return bytes;
}

const Header = z.record(z.string(), z.looseObject({ data_offsets: z.array(z.number()).optional() }));

function withHeader(change: (header: z.infer<typeof Header>) => void): Uint8Array {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  const header = Header.parse(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length))));
  change(header);
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + file.length - 8 - length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(file.subarray(8 + length), 8 + text.length);
  return bytes;
}

const unknownTensor = () =>
  changed((tensors) => tensors.set('extra', { dtype: 'F32', shape: [1], bytes: new Uint8Array(4) }));

const notANumber = () =>
  changed((tensors) => {
    const weights = tensors.get('weights')!;
    const bytes = weights.bytes.slice();
    new DataView(bytes.buffer).setFloat32(8, NaN, true);
    tensors.set('weights', { ...weights, bytes });
  });
