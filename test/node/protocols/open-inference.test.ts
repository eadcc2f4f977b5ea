/** The Open Inference Protocol, version 2, over plain HTTP: no client of it is in the registry. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TestHost, picture } from './test-host.ts';

const LABELS = ['ant', 'bee', 'cat'];
const Tensor = z.strictObject({
  name: z.string(),
  datatype: z.enum(['FP32', 'BYTES']),
  shape: z.array(z.int()),
  data: z.array(z.union([z.number(), z.string()])),
});
/** The protocol's `$inference_response`. */
const Inference = z.strictObject({
  model_name: z.string(),
  model_version: z.string(),
  id: z.string().optional(),
  outputs: z.array(Tensor),
});
const Classified = z.object({ predictions: z.array(z.object({ label: z.string(), score: z.number() })) });
const Embedded = z.object({ embeddings: z.array(z.object({ code: z.array(z.number()) })) });

let host: TestHost;
let key: string;
beforeAll(async () => {
  host = await TestHost.open();
  key = await host.newTenant();
  await host.putHead(key, 'pets', LABELS);
});
afterAll(() => host.close());

const b64 = Buffer.from(picture()).toString('base64');

async function get(path: string): Promise<unknown> {
  return (await fetch(host.address(path))).json();
}

/** The protocol's `$inference_error_response`. */
async function errorOf(response: Response): Promise<string> {
  return z.object({ error: z.string().min(1), code: z.string() }).parse(await response.json()).code;
}

async function infer(body: unknown, path = '/v2/models/pets/infer'): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return host.request(key, path, { method: 'POST', headers, body: JSON.stringify(body) });
}

async function inferred(body: unknown): Promise<z.infer<typeof Inference>> {
  const response = await infer(body);
  expect(response.status).toBe(200);
  return Inference.parse(await response.json());
}

const bytes = (...data: unknown[]) => ({ name: 'image', datatype: 'BYTES', shape: [data.length], data });

describe('health and metadata', () => {
  it('of the server need no key', async () => {
    expect(await get('/v2')).toMatchObject({ name: 'headwater', extensions: [] });
    expect(await get('/v2/health/live')).toEqual({ live: true });
    expect(await get('/v2/health/ready')).toEqual({ ready: true });
  });

  it('of a model tell its tensors and versions', async () => {
    for (const path of ['/v2/models/pets', '/v2/models/pets/versions/1']) {
      expect(await host.call(key, path)).toMatchObject({
        name: 'pets',
        versions: ['1'],
        inputs: [
          { name: 'image', datatype: 'BYTES', shape: [-1] },
          { name: 'pixels', datatype: 'FP32', shape: [-1, 160, 160, 3] },
          { name: 'code', datatype: 'FP32', shape: [-1, 3680] },
        ],
        outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 3] }, {}, {}, {}],
      });
      expect(await host.call(key, `${path}/ready`)).toEqual({ name: 'pets', ready: true });
    }
  });

  it('of what is not there are 404 with an error', async () => {
    for (const path of ['/v2/models/wolves', '/v2/models/pets/versions/9', '/v2/models/PETS/ready']) {
      const response = await host.request(key, path);
      expect(response.status).toBe(404);
      expect(await errorOf(response)).toMatch(/_not_found$/);
    }
    expect((await fetch(host.address('/v2/models/pets'))).status).toBe(401);
  });
});

describe('inference', () => {
  it('on pictures gives what classify gives', async () => {
    const classified = Classified.parse(
      await host.call(key, '/v1/heads/pets/classify', { method: 'POST', body: picture() }),
    );
    const answer = await inferred({ id: 'a1', inputs: [bytes(b64, { b64 })] });
    expect(answer).toMatchObject({ model_name: 'pets', model_version: '1', id: 'a1' });
    const [probabilities, labels, label, unknown] = answer.outputs;
    expect(probabilities).toMatchObject({ name: 'probabilities', shape: [2, 3] });
    expect(labels).toMatchObject({ name: 'labels', shape: [3], data: LABELS });
    expect(label.data).toEqual([classified.predictions[0].label, classified.predictions[0].label]);
    expect(unknown.shape).toEqual([2]);
    for (const { label, score } of classified.predictions) {
      expect(probabilities.data[LABELS.indexOf(label)]).toBeCloseTo(score, 6);
      expect(probabilities.data[3 + LABELS.indexOf(label)]).toBeCloseTo(score, 6);
    }
  });

  it('on codes gives what their picture gave; only the outputs that the request names', async () => {
    const { embeddings } = Embedded.parse(
      await host.call(key, '/v1/embed', { method: 'POST', body: picture() }),
    );
    const { code } = embeddings[0];
    const outputs = [{ name: 'probabilities' }];
    const onCode = await inferred({
      inputs: [{ name: 'code', datatype: 'FP32', shape: [1, code.length], data: code }],
      outputs,
    });
    const onPicture = await inferred({ inputs: [bytes(b64)], outputs });
    expect(onCode.outputs).toHaveLength(1);
    onCode.outputs[0].data.forEach((value, i) =>
      expect(value).toBeCloseTo(Number(onPicture.outputs[0].data[i]), 5),
    );
  });

  it('on pixels, nested or flat', async () => {
    const flat = Array.from({ length: 160 * 160 * 3 }, (_, i) => i % 256);
    const rows = Array.from({ length: 160 }, (_, y) => flat.slice(y * 480, (y + 1) * 480));
    const shape = [1, 160, 160, 3];
    const answers = [];
    for (const data of [flat, [rows]]) {
      answers.push((await inferred({ inputs: [{ name: 'pixels', datatype: 'FP32', shape, data }] })).outputs);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  it.each([
    ['no inputs', {}],
    ['an unknown output', { inputs: [bytes(b64)], outputs: [{ name: 'boxes' }] }],
    ['two tensors', { inputs: [bytes(b64), bytes(b64)] }],
    ['more pictures than the shape says', { inputs: [{ ...bytes(b64, b64), shape: [1] }] }],
    ['fewer', { inputs: [{ ...bytes(b64), shape: [2] }] }],
    ['too many', { inputs: [{ ...bytes(b64), shape: [1e9] }] }],
    ['not base64', { inputs: [bytes('***')] }],
    ['no text', { inputs: [bytes(7)] }],
    ['another shape', { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }] }],
    ['another type', { inputs: [{ name: 'x', datatype: 'INT64', shape: [1], data: [1] }] }],
    [
      'numbers too large',
      {
        inputs: [
          {
            name: 'code',
            datatype: 'FP32',
            shape: [1, 2208],
            data: Array.from({ length: 2208 }, () => 1e300),
          },
        ],
      },
    ],
  ])('refuses %s', async (_, body) => {
    const response = await infer(body);
    expect(response.status).toBe(400);
    expect(await errorOf(response)).toBe('invalid_request');
  });

  it('refuses lists nested without end, bodies that are too large, and what is no picture', async () => {
    const nested = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const body = `{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2208],"data":${nested}}]}`;
    const headers = { 'content-type': 'application/json' };
    const post = (text: string): Promise<Response> =>
      host.request(key, '/v2/models/pets/infer', { method: 'POST', headers, body: text });
    expect((await post(body)).status).toBe(400);
    expect((await post(' '.repeat(5 << 20))).status).toBe(413);
    expect((await infer({ inputs: [bytes(Buffer.from('no picture').toString('base64'))] })).status).toBe(415);
  });
});
