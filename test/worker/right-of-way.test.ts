/** Which requests a training waits for, and that it goes on in the end. */
import { describe, expect, it } from 'vitest';
import { giveWay, predicting } from '../../worker/isolate/right-of-way.ts';
import { Isolate, JPEG, makeHeadFile, soon } from './support.ts';

/** A picture whose last byte comes when it is let go. */
function held(): { body: ReadableStream<Uint8Array>; letGo: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      controller.enqueue(JPEG.subarray(0, -1));
      await promise;
      controller.enqueue(JPEG.subarray(-1));
      controller.close();
    },
  });
  return { body, letGo: resolve };
}

describe('the right of way', () => {
  const ROUTES = [
    '/v1/heads/pets/classify',
    '/v1/classify?heads=pets',
    '/v1/embed',
    '/hf-inference/models/pets',
    '/v2/models/pets/infer',
  ];

  it.each(ROUTES)('is of %s, from its arrival to its answer', async (path) => {
    const isolate = new Isolate();
    const { key } = await isolate.newTenant();
    await isolate.put(key, 'pets', await makeHeadFile());
    expect(predicting()).toBe(false);
    const { body, letGo } = held();
    const answer = isolate.call(path, { key, type: 'image/jpeg', body });
    await soon(() => expect(predicting()).toBe(true));
    // A training that meets it waits, though not for ever.
    await giveWay();
    expect(predicting()).toBe(true);
    letGo();
    await answer;
    expect(predicting()).toBe(false);
    await giveWay();
  });

  it('is not of requests that wait for a training themselves', async () => {
    const isolate = new Isolate();
    const { key } = await isolate.newTenant();
    for (const path of ['/v1/heads/pets/teach', '/v1/heads/pets/train', '/v1/heads/pets/feedback']) {
      const { body, letGo } = held();
      const answer = isolate.call(path, { key, type: 'application/json', body });
      await scheduler.wait(20);
      expect(predicting(), path).toBe(false);
      letGo();
      await answer;
    }
  });
});
