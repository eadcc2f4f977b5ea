/** On the reference engine, requests leave no tensor behind, however many come and however many at a time. */
import { memory } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { runtime } from '../../worker/runtime.ts';
import { Isolate, makeHeadFile } from './support.ts';

const SEQUENTIAL = 2_000;
const CONCURRENT = 500;
const AT_A_TIME = 16;

test(`${SEQUENTIAL} requests in a row and ${CONCURRENT} in parallel`, async () => {
  const reference = await runtime.mapReader();
  const isolate = new Isolate(undefined, { ...runtime, engine: reference });
  const { key } = await isolate.newTenant();
  const head = {
    key,
    method: 'PUT',
    type: 'application/octet-stream',
    body: await makeHeadFile(['cat', 'dog']),
  };
  expect((await isolate.call('/v1/heads/pets', head)).status).toBe(201);
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  const before = memory().numTensors;
  for (let i = 0; i < SEQUENTIAL; i++) expect((await isolate.classify(key, 'pets')).status).toBe(200);
  let left = CONCURRENT;
  const client = async (): Promise<void> => {
    while (left-- > 0) expect((await isolate.classify(key, 'pets')).status).toBe(200);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, client));
  expect(memory().numTensors).toBe(before);
});
