/** Other people's protocols with what they should not have, as their own clients would never send it; errors in their words. */
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runtime } from '../../worker/isolate/runtime.ts';
import {
  MAX_JSON_PICTURE_BYTES,
  MAX_PICTURES_PER_REQUEST,
  MAX_TENSOR_JSON_BYTES,
} from '../../worker/limits.ts';
import { brokenBytes, Isolate, JPEG, makeHeadFile, slowBytes, type CallOptions } from './support.ts';

const isolate = new Isolate();
const JSON_TYPE = 'application/json';

interface Protocol {
  readonly address: (model: string) => string;
  /** The code of an error, which must have the protocol's shape. */
  readonly codeOf: (body: unknown) => string;
  /** The largest JSON body. */
  readonly most: number;
  /** It takes pictures as they are. */
  readonly raw: boolean;
}

const HuggingFace = z.object({ error: z.string().min(1), code: z.string() });
const WorkersAi = z.object({
  success: z.literal(false),
  result: z.null(),
  errors: z.array(z.object({ code: z.int(), message: z.string().min(1), error: z.string() })).length(1),
});

const PROTOCOLS: Readonly<Record<string, Protocol>> = {
  'Hugging Face': {
    address: (model) => `/hf-inference/models/${model}`,
    codeOf: (body) => HuggingFace.parse(body).code,
    most: MAX_JSON_PICTURE_BYTES,
    raw: true,
  },
  'Workers AI': {
    address: (model) => `/client/v4/accounts/any/ai/run/@headwater/${model}`,
    codeOf: (body) => WorkersAi.parse(body).errors[0].error,
    most: MAX_TENSOR_JSON_BYTES,
    raw: true,
  },
  'Open Inference': {
    address: (model) => `/v2/models/${model}/infer`,
    codeOf: (body) => HuggingFace.parse(body).code,
    most: MAX_TENSOR_JSON_BYTES,
    raw: false,
  },
};

let key = '';
let otherKey = '';
beforeAll(async () => {
  key = (await isolate.newTenant()).key;
  otherKey = (await isolate.newTenant()).key;
  expect((await isolate.put(key, 'pets', await makeHeadFile())).status).toBe(201);
});
afterEach(async () => {
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
});

const json = (body: BodyInit | Uint8Array): CallOptions => ({ type: JSON_TYPE, body });

describe.each(Object.entries(PROTOCOLS))('%s', (_, { address, codeOf, most, raw }) => {
  async function refused(options: CallOptions, model = 'pets'): Promise<string> {
    const response = await isolate.call(address(model), { method: 'POST', key, ...options });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get('content-type')).toBe(JSON_TYPE);
    const text = await response.text();
    expect(text.length).toBeLessThan(600);
    return codeOf(JSON.parse(text));
  }

  it('without a right to it', async () => {
    const response = await isolate.call(address('pets'), { method: 'POST' });
    expect(codeOf(await response.json())).toBe('unauthorized');
    expect(await refused({ key: 'hw_wrong' })).toBe('unauthorized');
    const writer = await isolate.newKey(key, ['write', 'admin']);
    expect(await refused({ key: writer.key })).toBe('forbidden');
    expect(await refused({ key: otherKey })).toBe('head_not_found');
  });

  it.each([
    'nobody',
    'Pets',
    '__proto__',
    'constructor',
    'pets%2F..',
    'pets%00',
    '%F0%9F%92%A7',
    'x'.repeat(200),
    'pets@x@y',
    'pets@',
  ])('of a model %s', async (model) => {
    expect(await refused(json('{}'), model)).toBe('head_not_found');
  });

  it('of a version that is not there', async () => {
    for (const version of ['9', 'live', 'constructor'])
      expect(await refused(json('{}'), `pets@${version}`)).toBe('version_not_found');
  });

  it('from bodies that are none', async () => {
    expect(await refused(json(''))).toBe('body_empty');
    const others = [
      '{',
      'null',
      '7',
      '[]',
      '{"image": 7, "inputs": 7}',
      '['.repeat(5000),
      Uint8Array.of(0x22, 0xff, 0x22),
    ];
    for (const body of others) expect(await refused(json(body))).toBe('invalid_request');
    expect(await refused({ ...json('{}'), headers: { 'routing-key': 'x'.repeat(257) } })).toBe(
      'invalid_request',
    );
  });

  it('from bodies that are too large, or broke off', async () => {
    for (const headers of [{ 'content-length': '100000000' }, {}]) {
      const { stream, sent } = slowBytes(100e6);
      expect(await refused({ type: JSON_TYPE, headers, body: stream })).toBe('body_too_large');
      expect(sent()).toBeLessThanOrEqual('content-length' in headers ? 2 << 20 : most + (2 << 20));
    }
    expect(await refused(json(brokenBytes()))).toBe('body_incomplete');
    expect(await refused(json('['.repeat(1_000_000)))).toBe('body_too_large');
  });

  if (!raw) return;
  it('from pictures that are none', async () => {
    expect(await refused({ type: 'image/jpeg', body: '' })).toBe('body_empty');
    expect(await refused({ type: 'image/jpeg', body: 'not a picture' })).toBe('image_format_unknown');
    expect(await refused({ type: 'image/jpeg', body: JPEG.subarray(0, 200) })).toBe('image_corrupt');
    expect(await refused({ type: 'text/plain', body: JPEG })).toBe('unsupported_media_type');
    expect(await refused({ type: 'multipart/form-data', body: 'x' })).toBe('invalid_request');
  });
});

const post = async (path: string, body: object) =>
  (await isolate.call(path, { key, json: body })).json<{ code?: string; errors?: { error: string }[] }>();

describe('what is in the JSON', () => {
  it.each([
    ['an empty picture', { image: [] }],
    ['bytes that are none', { image: [0.5] }],
    ['negative bytes', { image: [-1] }],
    ['text', { image: 'AAAA' }],
    ['no picture', { picture: [1] }],
  ])('Workers AI: %s', async (_, body) => {
    const { errors } = await post(PROTOCOLS['Workers AI'].address('pets'), body);
    expect(errors?.[0].error).toBe('invalid_request');
  });

  it.each([
    ['too many labels', { inputs: 'AAAA', parameters: { top_k: 1e9 } }],
    ['another function', { inputs: 'AAAA', parameters: { function_to_apply: '__proto__' } }],
    ['parameters that are none', { inputs: 'AAAA', parameters: 'top_k=1' }],
    ['an empty picture', { inputs: '' }],
  ])('Hugging Face: %s', async (_, body) => {
    expect((await post(PROTOCOLS['Hugging Face'].address('pets'), body)).code).toBe('invalid_request');
  });

  const { codeLength } = runtime.engine;
  const tensor = { name: 'x', datatype: 'FP32', shape: [1, codeLength], data: [1] };
  it.each([
    ['a shape without end', { ...tensor, shape: Array(9).fill(1) }],
    ['a negative shape', { ...tensor, shape: [-1, codeLength] }],
    ['no rows', { ...tensor, shape: [0, codeLength], data: [] }],
    ['rows beyond the cap', { ...tensor, shape: [MAX_PICTURES_PER_REQUEST + 1, codeLength] }],
    ['fewer numbers than it says', tensor],
    ['a hole', { ...tensor, data: [...Array<number>(codeLength - 1).fill(1), null] }],
    ['pixels below 0', { ...tensor, shape: [1, 224, 224, 3], data: [-1] }],
    ['data that are no list', { ...tensor, data: 'AAAA' }],
    ['a name without end', { ...tensor, name: 'x'.repeat(300) }],
  ])('Open Inference: a tensor with %s', async (_, input) => {
    expect((await post(PROTOCOLS['Open Inference'].address('pets'), { inputs: [input] })).code).toBe(
      'invalid_request',
    );
  });
});

it.each(['/v2/nothing', '/v2/models/pets/versions/1/explain'])(
  '%s is not there, in Open Inference’s words',
  async (path) => {
    const response = await isolate.call(path, { key });
    expect(response.status).toBe(404);
    expect(HuggingFace.parse(await response.json()).code).toBe('not_found');
  },
);
