/** What capture and a shadow version add to a prediction: one more score, and nothing is computed twice. */
import { expect, it, vi } from 'vitest';
import type * as Heads from '../../src/head/index.ts';
import { score } from '../../src/head/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, soon } from './support.ts';

vi.mock('../../src/head/index.ts', async (load) => {
  const head = await load<typeof Heads>();
  return { ...head, score: vi.fn(head.score) };
});

/** How many classes each head has that scored. */
const scored = (): number[] => vi.mocked(score).mock.calls.map(([{ labels }]) => labels.length);

it('each version scores an image once, and the image is hashed and embedded once', async () => {
  const isolate = new Isolate();
  const { key } = await isolate.newTenant();
  const call = async (path: string, method: string, json: object): Promise<void> => {
    const { status } = await isolate.call(`/v1/heads/pets/${path}`, { key, method, json });
    expect(status).toBe(200);
  };
  await call('teach', 'POST', teachRequest(codes('cat', 4), codes('dog', 4)));
  await call('teach', 'POST', teachRequest(codes('emu', 4)));
  await call('shadow', 'PUT', { version: 1 });
  await call('settings', 'PUT', { capture: true });
  const embed = vi.spyOn(runtime.engine, 'codes');
  const digest = vi.spyOn(crypto.subtle, 'digest');
  vi.mocked(score).mockClear();
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  // The version that answers has three classes; the one in the shadow, which comes after the answer, has two.
  await soon(() => expect(scored()).toEqual([3, 2]));
  expect(embed).toHaveBeenCalledOnce();
  expect(digest.mock.calls.filter(([, data]) => data.byteLength === JPEG.byteLength)).toHaveLength(1);
});
