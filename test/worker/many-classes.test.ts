/** The largest heads that limits allow, uploaded and used. */
import { expect, it } from 'vitest';
import type { Classification } from '../../src/api/index.ts';
import { withGolden } from '../../src/head/golden.ts';
import { writeHead, type Head } from '../../src/head/index.ts';
import { Isolate, JPEG, makeHead } from './support.ts';

const CLASSES = 1_000;

/** Of a small head's code: each class reads one number of it, and the seventh is the likeliest by its bias. */
async function largeHead(): Promise<Head> {
  const small = await makeHead();
  const weights = new Float32Array(CLASSES * small.codeLength);
  for (let c = 0; c < CLASSES; c++) weights[c * small.codeLength + (c % small.codeLength)] = 1e-6;
  return withGolden({
    ...small,
    labels: Array.from({ length: CLASSES }, (_, c) => `class ${c}`),
    weights,
    bias: Float32Array.from({ length: CLASSES }, (_, c) => (c === 7 ? 1 : 0)),
    training: {
      ...small.training,
      examples: 2 * CLASSES,
      counts: Array.from({ length: CLASSES }, () => 2),
      leaveOneOut: null,
    },
  });
}

it('a head of 1,000 classes is taken, answers, and answers another isolate that reads it from the store', async () => {
  const file = writeHead(await largeHead());
  const [isolate, other] = [new Isolate(), new Isolate()];
  const { key } = await isolate.newTenant();
  const stored = await isolate.put(key, 'many', file);
  expect(stored.status, await stored.clone().text()).toBe(201);
  expect(await stored.json()).toMatchObject({ version: 1, classes: CLASSES });
  const [first, second] = await Promise.all(
    [isolate, other].map(async (each) => {
      const response = await each.call('/v1/heads/many/classify?top_k=3', {
        key,
        type: 'image/jpeg',
        body: JPEG,
      });
      expect(response.status, await response.clone().text()).toBe(200);
      return response.json<Classification>();
    }),
  );
  expect(first.predictions[0].label).toBe('class 7');
  expect(first.predictions[0].score).toBeGreaterThan(first.predictions[1].score);
  expect(second.predictions).toEqual(first.predictions);
});
