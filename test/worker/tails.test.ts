/** Heads with fine-tuned tails at the edge: the trunk runs once, whoever the heads belong to. */
import { describe, expect, test } from 'vitest';
import type { TailedEngine } from '../../src/backbone/index.ts';
import type { Classification, HeadAnswer } from '../../src/api/index.ts';
import { readHead, writeHead } from '../../src/head/index.ts';
import { codeFor, extractFeatures } from '../../worker/predict/features.ts';
import type { LoadedHead } from '../../worker/stores/head-loader.ts';
import { TAIL_CACHE_BYTES } from '../../worker/limits.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import type { Runtime } from '../../worker/isolate/backbones.ts';
import { memory } from '../../worker/isolate/memory.ts';
import { TailStore } from '../../worker/stores/tails.ts';
import { expected, mobileNet, tailedHead } from './tailed.ts';
import { Isolate, JPEG, makeHead, makeHeadFile, problemOf, testEnv } from './support.ts';

function scoreOf({ predictions }: Pick<Classification, 'predictions'>, label: string): number {
  return predictions.find((prediction) => prediction.label === label)!.score;
}

function fileOf(tenant: string, head: string): LoadedHead['file'] {
  return { head, version: 1, objectName: `${tenant}/${head}/1` };
}

interface Counts {
  trunk: number;
  tails: number;
  /** Of the tails that exist. */
  bytes: number;
}

/** The runtime of heads with tails, how often its trunk and tails have run, and what the tails hold. */
function counted(): { counting: Runtime; runs: Counts } {
  const runs = { trunk: 0, tails: 0, bytes: 0 };
  const { engine } = mobileNet;
  const counter: TailedEngine = {
    name: engine.name,
    codeLength: engine.codeLength,
    codes: () => expect.fail('the trunk ran by another way'),
    codesAndMaps: (...args) => {
      runs.trunk++;
      return engine.codesAndMaps(...args);
    },
    createTail: (...args) => {
      const made = engine.createTail(...args);
      runs.bytes += made.bytes;
      return {
        ...made,
        codes: (input) => {
          runs.tails++;
          return made.codes(input);
        },
        dispose: () => {
          runs.bytes -= made.bytes;
          made.dispose();
        },
      };
    },
  };
  const counting: Runtime = { ...mobileNet, of: () => Promise.resolve(counting), engine: counter };
  return { counting, runs };
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

  test('stands beside others in one request, and is kept apart from them', async () => {
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
    const { counting, runs } = counted();
    const heads: Omit<LoadedHead, 'runtime'>[] = [
      { file: fileOf('one', 'a'), head: await tailedHead('b3.project', 1.05, 1) },
      { file: fileOf('one', 'b'), head: await tailedHead('b8.project', 1.05, 2) },
      { file: fileOf('two', 'a'), head: await makeHead(['x', 'y'], 3, mobileNet) },
    ];
    const loaded = await Promise.all(
      heads.map(async (each) => ({ ...each, runtime: await counting.of(each.head) })),
    );
    const { features } = await extractFeatures(JPEG, new RequestWork(), loaded);
    const tails = new TailStore(memory);
    for (const each of loaded)
      expect(codeFor(tails, each, features.get(each.runtime))).toHaveLength(each.head.codeLength);
    expect(runs).toMatchObject({ trunk: 1, tails: 2 });
  });

  test('the trunk runs once a request, whatever heads of its tenant look at the picture', async () => {
    const { counting, runs } = counted();
    const isolate = new Isolate(testEnv, counting);
    const [one, two] = [await isolate.newTenant(), await isolate.newTenant()];
    const tailed = writeHead(await tailedHead('b3.project', 1.05, 1));
    await isolate.put(one.key, 'a', tailed);
    await isolate.put(one.key, 'b', writeHead(await tailedHead('b8.project', 1.05, 2)));
    await isolate.put(one.key, 'c', writeHead(await makeHead(['x', 'y'], 3, mobileNet)));
    await isolate.put(two.key, 'a', tailed);
    const classify = async (key: string, heads: string): Promise<void> => {
      const picture = { key, type: 'image/jpeg', body: JPEG };
      expect((await isolate.call(`/v1/classify?heads=${heads}`, picture)).status).toBe(200);
    };
    await classify(one.key, 'a,b,c');
    expect(runs).toMatchObject({ trunk: 1, tails: 2 });
    await classify(two.key, 'a');
    expect(runs).toMatchObject({ trunk: 2, tails: 3 });
  });

  test('in great numbers stays within the bytes of the cache for tails', async () => {
    const { counting, runs } = counted();
    const isolate = new Isolate(testEnv, counting);
    const { key } = await isolate.newTenant();
    const heads = await Promise.all(
      Array.from({ length: 8 }, (_, i) => tailedHead('b3.project', 1 + i / 100, 3)),
    );
    for (const [i, head] of heads.entries())
      expect((await isolate.put(key, `h${i}`, writeHead(head))).status).toBe(201);
    const held: number[] = [];
    for (let round = 0; round < 3; round++) {
      for (const [i, head] of heads.entries()) {
        const answer = await (await isolate.classify(key, `h${i}`)).json<Classification>();
        if (round === 0) expect(scoreOf(answer, 'cat')).toBeCloseTo((await expected(head))[0], 5);
        held.push(runs.bytes);
      }
    }
    expect(Math.max(...held)).toBeLessThanOrEqual(TAIL_CACHE_BYTES);
    // More than one of them is kept, and the last round holds no more than the first.
    expect(Math.min(...held.slice(8))).toBeGreaterThan(TAIL_CACHE_BYTES / 2);
    expect(held[23]).toBe(held[7]);
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
