/** Heads with fine-tuned tails at the edge: the trunk runs once, whoever the heads belong to. */
import { describe, expect, test } from 'vitest';
import type { Classification, HeadAnswer } from '../../src/api/index.ts';
import { readHead, writeHead } from '../../src/head/index.ts';
import { codeFor, see, type LoadedHead } from '../../worker/classify.ts';
import { runtime, type Runtime } from '../../worker/runtime.ts';
import { TailStore } from '../../worker/stores/tails.ts';
import { expected, tailedHead } from './tailed.ts';
import { Isolate, JPEG, makeHead, makeHeadFile, problemOf } from './support.ts';

function scoreOf({ predictions }: Pick<Classification, 'predictions'>, label: string): number {
  return predictions.find((prediction) => prediction.label === label)!.score;
}

function fileOf(tenant: string, head: string): LoadedHead['file'] {
  return { head, version: 1, objectName: `${tenant}/${head}/1` };
}

describe('a head with a tail', () => {
  test.each(['b8.project', 'b3.project', 'input'])(
    'from %s answers as trunk, tail and head do',
    async (from) => {
      const isolate = new Isolate();
      const { key } = await isolate.newTenant();
      const head = await tailedHead(from, 1.05, 3);
      expect((await isolate.put(key, 'tailed', writeHead(head))).status).toBe(201);
      const probabilities = await expected(readHead(writeHead(head)));
      for (const fresh of [isolate, new Isolate()]) {
        const answer = await (await fresh.classify(key, 'tailed')).json<Classification>();
        head.labels.forEach((label, i) => expect(scoreOf(answer, label)).toBeCloseTo(probabilities[i], 5));
      }
    },
  );

  test('stands beside others in one request, and is not mistaken for them', async () => {
    const isolate = new Isolate();
    const { key } = await isolate.newTenant();
    const heads = { a: await tailedHead('b3.project', 1.05, 3), b: await tailedHead('b6.project', 0.9, 3) };
    for (const [name, head] of Object.entries(heads)) await isolate.put(key, name, writeHead(head));
    await isolate.put(key, 'c', await makeHeadFile(['cat', 'dog', 'owl'], 3));
    const response = await isolate.call('/v1/classify?heads=a,b,c', { key, type: 'image/jpeg', body: JPEG });
    const { results } = await response.json<{ results: HeadAnswer[] }>();
    expect(results.map(({ head }) => head)).toEqual(['a', 'b', 'c']);
    const [a, b, c] = results.map((result) => scoreOf(result, 'cat'));
    expect(a).toBeCloseTo((await expected(heads.a))[0], 5);
    expect(b).toBeCloseTo((await expected(heads.b))[0], 5);
    expect(new Set([a, b, c]).size).toBe(3);
  });

  test('the trunk runs once for three heads of two tenants', async () => {
    let runs = 0;
    const engine = await runtime.mapReader();
    const counting: Runtime = {
      ...runtime,
      of: () => Promise.resolve(counting),
      engine: { ...runtime.engine, codes: () => expect.fail('the trunk ran by another way') },
      mapReader: () =>
        Promise.resolve({
          ...engine,
          createTail: engine.createTail.bind(engine),
          codesAndMaps: (...args: Parameters<typeof engine.codesAndMaps>) => {
            runs++;
            return engine.codesAndMaps(...args);
          },
        }),
    };
    const loaded: LoadedHead[] = [
      { file: fileOf('one', 'a'), head: await tailedHead('b3.project', 1.05, 1) },
      { file: fileOf('one', 'b'), head: await tailedHead('b8.project', 1.05, 2) },
      { file: fileOf('two', 'a'), head: await makeHead(['x', 'y'], 3) },
    ];
    const seen = await see(counting, [JPEG], loaded);
    const services = { runtime: counting, tails: new TailStore() };
    for (const head of loaded) expect(await codeFor(services, head, seen)).toHaveLength(head.head.codeLength);
    expect(runs).toBe(1);
  });

  test('whose tail is not of this backbone is refused', async () => {
    const isolate = new Isolate();
    const { key } = await isolate.newTenant();
    const head = await tailedHead('b8.project', 1, 1);
    const tensors = new Map(head.tail!.tensors);
    tensors.set('last.bias', new Float16Array(575));
    const refused = await isolate.put(
      key,
      'odd',
      writeHead({ ...head, tail: { from: 'b8.project', tensors } }),
    );
    expect(await problemOf(refused)).toMatchObject({ code: 'backbone_mismatch' });
    const nowhere = await isolate.put(
      key,
      'odd',
      writeHead({ ...head, tail: { ...head.tail!, from: 'b99' } }),
    );
    expect(await problemOf(nowhere)).toMatchObject({ code: 'backbone_mismatch' });
  });
});
