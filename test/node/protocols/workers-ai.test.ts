/** Cloudflare's own client, asking for an image classification, against the Worker. */
import Cloudflare, { APIError, AuthenticationError, NotFoundError } from 'cloudflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { workersAi } from '../../../sdk/workers-ai.ts';
import { TestHost, picture } from './test-host.ts';

const LABELS = ['cat', 'dog', 'fox', 'owl', 'ant', 'bee', 'elk'];
const MODEL = '@cf/microsoft/resnet-50';
const Predictions = z.object({ predictions: z.array(z.object({ label: z.string(), score: z.number() })) });

let host: TestHost;
let key: string;
let expected: { label: string; score: number }[];
beforeAll(async () => {
  host = await TestHost.open();
  key = await host.newTenant();
  await host.putHead(key, 'resnet-50', LABELS);
  await host.putHead(key, 'pets', LABELS);
  const init = { method: 'POST', body: picture() };
  const answer = await host.call(key, '/v1/heads/resnet-50/classify', init);
  expected = Predictions.parse(answer).predictions.slice(0, 5);
});
afterAll(() => host.close());

const image = [...picture()];

function client(apiToken = key): Cloudflare {
  return new Cloudflare({ apiToken, baseURL: host.address('/client/v4'), maxRetries: 0 });
}

describe('cloudflare', () => {
  it('runs resnet-50: a head of that name answers', async () => {
    expect(await client().ai.run(MODEL, { account_id: 'any', image })).toEqual(expected);
    expect(await client().ai.run('@headwater/pets', { account_id: 'any', image })).toEqual(expected);
  });

  it('understands errors', async () => {
    const failed = client().ai.run('@cf/openai/clip', { account_id: 'any', image });
    await expect(failed).rejects.toBeInstanceOf(NotFoundError);
    await expect(failed).rejects.toThrow(/no head 'clip'/);
    const noKey = client('hw_wrong').ai.run(MODEL, { account_id: 'any', image });
    await expect(noKey).rejects.toBeInstanceOf(AuthenticationError);
    const noPicture = client().ai.run(MODEL, { account_id: 'any', image: [1, 2, 3] });
    await expect(noPicture).rejects.toBeInstanceOf(APIError);
  });

  it('over plain REST takes the picture as the body', async () => {
    const path = `/client/v4/accounts/any/ai/run/${MODEL}`;
    const answer = await host.call(key, path, { method: 'POST', body: picture() });
    expect(answer).toEqual({ result: expected, success: true, errors: [], messages: [] });
    const refused = await host.request(key, path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ image: [256] }),
    });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ success: false, errors: [{ error: 'invalid_request' }] });
  });
});

describe('the helper in the shape of the binding', () => {
  it('takes a list of bytes or a typed array and answers the labels', async () => {
    const AI = workersAi({ url: host.url, key });
    expect(await AI.run(MODEL, { image })).toEqual(expected);
    expect(await AI.run('@headwater/pets', { image: picture() })).toEqual(expected);
    await expect(AI.run('@headwater/wolves', { image })).rejects.toThrow(/no head 'wolves'/);
  });
});
