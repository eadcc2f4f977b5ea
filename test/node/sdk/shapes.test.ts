/** The client's other shapes, batches and Teachable Machine's, against the Worker. */
import { zipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest';
import { ApiError, HeadwaterClient } from '../../../sdk/client.ts';
import { load, type Prediction } from '../../../sdk/teachable-machine.ts';
import type { BatchLine } from '../../../src/api/index.ts';
import { TestHost, picture } from '../protocols/test-host.ts';
import { serve } from './server.ts';

const LABELS = ['ant', 'bee', 'cat'];

let host: TestHost;
let key: string;
let client: HeadwaterClient;
beforeAll(async () => {
  host = await TestHost.open();
  key = await host.newTenant();
  client = new HeadwaterClient({ url: host.url, key });
  await host.putHead(key, 'pets', LABELS);
});
afterAll(() => host.close());

async function all(lines: AsyncIterable<BatchLine>): Promise<BatchLine[]> {
  const found: BatchLine[] = [];
  for await (const line of lines) found.push(line);
  return found;
}

describe('classifyBatch', () => {
  const files = [new File([picture()], 'a.jpg'), new File(['no picture'], 'b.txt')];

  it('yields a line for each file and the summary, from a form as from an archive', async () => {
    const archive = new Blob([zipSync({ 'a.jpg': picture(), 'b.txt': new Uint8Array(9) })]);
    for (const pictures of [files, archive]) {
      const lines = await all(client.classifyBatch('pets', pictures, { topK: 1 }));
      expect(lines).toMatchObject([
        { index: 0, name: 'a.jpg', predictions: [{}] },
        { index: 1, name: 'b.txt', problem: { status: 415 } },
        { head: 'pets', pictures: 2, failed: 1 },
      ]);
    }
  });

  it('can be left early, and says when it was refused or broke off', async () => {
    for await (const line of client.classifyBatch('pets', files)) {
      expect(line).toMatchObject({ index: 0 });
      break;
    }
    await expect(all(client.classifyBatch('wolves', files))).rejects.toMatchObject({
      code: 'head_not_found',
    });
    const { url } = await serve(() => ({ status: 200, body: { index: 0, name: 'a.jpg' } }));
    const broken = all(new HeadwaterClient({ url, key }).classifyBatch('pets', files));
    await expect(broken).rejects.toThrow(/broke off/);
    const lost = await serve(() => ({ status: 200, body: { index: 0, name: 'a.jpg' }, lost: 'within' }));
    const cut = all(new HeadwaterClient({ url: lost.url, key }).classifyBatch('pets', files));
    await expect(cut).rejects.toMatchObject({ name: 'ApiError', code: 'answer_not_understood' });
  });
});

describe('the shape of Teachable Machine', () => {
  it('predicts every class in the order of the labels, or the best', async () => {
    const model = await load(host.address('/v1/heads/pets'), { key });
    expect(model.getTotalClasses()).toBe(3);
    expect(model.getClassLabels()).toEqual(LABELS);
    const all = await model.predict(picture());
    expect(all.map(({ className }) => className)).toEqual(LABELS);
    expect(all.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 5);
    const best = await model.predictTopK(new Blob([picture()]), 2);
    expect(best).toEqual(all.toSorted((a, b) => b.probability - a.probability).slice(0, 2));
    expectTypeOf(best).toEqualTypeOf<Prediction[]>();
  });

  it('says what is wrong with an address', async () => {
    await expect(load(host.address('/models/pets'), { key })).rejects.toBeInstanceOf(TypeError);
    await expect(load(host.address('/v1/heads/wolves'), { key })).rejects.toBeInstanceOf(ApiError);
  });
});
