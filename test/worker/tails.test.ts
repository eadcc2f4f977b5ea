/** Heads with fine-tuned tails at the edge: the trunk runs once, whoever the heads belong to. */
import { describe, expect, test } from 'vitest';
import plan from '../../build/backbone/plan.json';
import weights from '../../build/backbone/weights.safetensors';
import type { Classification, HeadAnswer } from '../../src/api/index.ts';
import { cutAt, loadBackbone, tensorNames, type Tail } from '../../src/backbone/index.ts';
import { readCode, readHead, score, TAIL_TAP, writeHead, type Head } from '../../src/head/index.ts';
import { codeFor, see, type LoadedHead } from '../../worker/classify.ts';
import { runtime, type Runtime } from '../../worker/runtime.ts';
import { TailStore } from '../../worker/stores/tails.ts';
import { Isolate, JPEG, makeHead, makeHeadFile, problemOf } from './support.ts';

const backbone = loadBackbone(plan, new Uint8Array(weights));

/** The backbone's own last steps, each weight a little larger. */
function makeTail(from: string, factor: number): Tail {
  const names = cutAt(backbone.plan, from).tailSteps.flatMap(tensorNames);
  const scaled = (name: string): Float16Array =>
    Float16Array.from(backbone.tensors.get(name)!, (w) => w * factor);
  return { from, tensors: new Map(names.map((name) => [name, scaled(name)])) };
}

async function tailedHead(from: string, factor: number, seed: number): Promise<Head> {
  const head = await makeHead(['cat', 'dog', 'owl'], seed);
  const taps = runtime.plan.taps.map(({ name }) => (behind(from).includes(name) ? TAIL_TAP + name : name));
  return { ...head, taps, tail: makeTail(from, factor) };
}

function behind(from: string): string[] {
  return cutAt(backbone.plan, from).tailTaps.map(({ name }) => name);
}

/** What the trainer would answer: trunk, tail and head one after the other. */
async function expected(head: Head): Promise<Float32Array> {
  const { pixels } = await runtime.decoder.decode(JPEG, runtime.plan.input);
  const engine = await runtime.mapReader();
  const from = head.tail!.from;
  const { codes, maps } = engine.codesAndMaps(pixels, from === 'input' ? [] : [from]);
  const tail = engine.createTail(head.tail!);
  const tailCode = tail.codes(from === 'input' ? pixels : maps.get(from)!);
  tail.dispose();
  return score(head, readCode(head, runtime.plan, codes, tailCode)).probabilities;
}

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
