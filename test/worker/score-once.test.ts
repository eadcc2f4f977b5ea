/** What capture and a shadow version add to a prediction: one more score, and nothing is computed twice. */
import { expect, it, vi } from 'vitest';
import type { Head } from '../../src/head/index.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { HeadLoader } from '../../worker/stores/head-loader.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, soon } from './support.ts';

/** The number of classes of each head that scored, in their order: a prediction reads the temperature to score, and only then. */
function recordScores(): number[] {
  const scored: number[] = [];
  const counted = (head: Head): Head =>
    new Proxy(head, {
      get(target, name: keyof Head) {
        if (name === 'temperature') scored.push(target.labels.length);
        return target[name];
      },
    });
  // oxlint-disable-next-line typescript/unbound-method -- called below with the loader that it is called on
  const { load } = HeadLoader.prototype;
  vi.spyOn(HeadLoader.prototype, 'load').mockImplementation(async function (this: HeadLoader, env, file) {
    const found = await load.call(this, env, file);
    return found && { ...found, head: counted(found.head) };
  });
  return scored;
}

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
  const scored = recordScores();
  const embed = vi.spyOn(runtime.engine, 'codes');
  const digest = vi.spyOn(crypto.subtle, 'digest');
  expect((await isolate.classify(key, 'pets')).status).toBe(200);
  // The version that answers has three classes; the one in the shadow, which comes after the answer, has two.
  await soon(() => expect(scored).toContain(2));
  expect(scored).toEqual([3, 2]);
  expect(embed).toHaveBeenCalledOnce();
  expect(digest.mock.calls.filter(([, data]) => data.byteLength === JPEG.byteLength)).toHaveLength(1);
});
