/** Hugging Face's own client against the Worker. */
import { imageClassification, InferenceClient } from '@huggingface/inference';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TestHost, picture } from './test-host.ts';

const Predictions = z.object({ predictions: z.array(z.object({ label: z.string(), score: z.number() })) });

let host: TestHost;
let accessToken: string;
beforeAll(async () => {
  host = await TestHost.open();
  accessToken = await host.newTenant();
  await host.putHead(accessToken, 'pets', ['cat', 'dog', 'fox', 'owl', 'ant', 'bee', 'elk']);
});
afterAll(() => host.close());

const blob = new Blob([picture()], { type: 'image/jpeg' });
const endpoint = (query = '', model = 'pets'): string =>
  host.address(`/hf-inference/models/${model}${query}`);

async function ours(): Promise<{ label: string; score: number }[]> {
  const answer = await host.call(accessToken, '/v1/heads/pets/classify', { method: 'POST', body: blob });
  return Predictions.parse(answer).predictions;
}

async function failed(endpointUrl: string, data: Blob, token = accessToken): Promise<unknown> {
  return imageClassification({ accessToken: token, endpointUrl, data }, { retry_on_error: false });
}

async function post(body: unknown): Promise<Response> {
  return host.request(accessToken, '/hf-inference/models/pets', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

describe('@huggingface/inference', () => {
  it('classifies a picture: five labels, the most probable first', async () => {
    const answer = await imageClassification({ accessToken, endpointUrl: endpoint(), data: blob });
    expect(answer).toEqual((await ours()).slice(0, 5));
  });

  it('takes top_k and function_to_apply in the address, where the client can send them', async () => {
    const client = new InferenceClient(accessToken);
    const classify = (query: string) =>
      client.imageClassification({ endpointUrl: endpoint(query), data: blob });
    expect(await classify('?top_k=2')).toEqual((await ours()).slice(0, 2));
    const logits = await classify('?function_to_apply=none&top_k=7');
    const sigmoid = await classify('?function_to_apply=sigmoid&top_k=7');
    const softmax = await classify('?function_to_apply=softmax&top_k=7');
    expect(new Set([logits, sigmoid, softmax].map((all) => all.map(({ label }) => label).join())).size).toBe(
      1,
    );
    const sum = logits.reduce((total, { score }) => total + Math.exp(score), 0);
    logits.forEach(({ score }, i) => {
      expect(sigmoid[i].score).toBeCloseTo(1 / (1 + Math.exp(-score)), 5);
      expect(softmax[i].score).toBeCloseTo(Math.exp(score) / sum, 5);
    });
  });

  it('takes an ArrayBuffer, and a version by name', async () => {
    const data = picture().buffer;
    const answer = await imageClassification({ accessToken, endpointUrl: endpoint('', 'pets@1'), data });
    expect(answer).toHaveLength(5);
  });

  it('understands what the Worker objects to', async () => {
    await expect(failed(endpoint('', 'wolves'), blob)).rejects.toThrow(/no head 'wolves'/);
    await expect(failed(endpoint('?top_k=0'), blob)).rejects.toThrow(/top_k/);
    await expect(failed(endpoint('?function_to_apply=tanh'), blob)).rejects.toThrow(/function_to_apply/);
    await expect(failed(endpoint(), new Blob(['no picture']))).rejects.toThrow(/Failed to perform inference/);
    await expect(failed(endpoint(), blob, 'hw_wrong')).rejects.toThrow(/key/i);
  });
});

describe('the task as documented', () => {
  it('takes JSON with base64 and parameters', async () => {
    const inputs = Buffer.from(picture()).toString('base64');
    const answer = await post({ inputs, parameters: { top_k: 3, function_to_apply: 'softmax' } });
    expect(await answer.json()).toEqual((await ours()).slice(0, 3));
    expect(await (await post({ inputs, parameters: null })).json()).toHaveLength(5);
    for (const body of [{}, { inputs: '***' }, { inputs, parameters: { top_k: 'many' } }]) {
      const refused = await post(body);
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ status: 400, code: 'invalid_request' });
    }
  });
});
