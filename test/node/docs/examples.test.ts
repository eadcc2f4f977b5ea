/** The @example blocks of src/ and sdk/: each runs, and does what its comment says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { HeadwaterClient } from '../../../sdk/client.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { assertCompatible, readHead, score, writeHead, type Head } from '../../../src/head/index.ts';
import { createImageDecoder } from '../../../src/image/index.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { evaluate } from '../../../src/learn/statistics/metrics.ts';
import { planJson, weightsFile } from '../backbone/files.ts';
import { BUILDS } from '../backbone/simd-support.ts';
import { modules } from '../image/support.ts';
import { photos } from '../photos.ts';
import { linalg } from '../learn/linalg.ts';
import { serve } from '../sdk/server.ts';

const root = join(import.meta.dirname, '../../..');
const Trained = z.custom<Head>((value) => typeof value === 'object');
const EXAMPLE = /^ \* @example\n((?: \* .*\n)+)/m;

/** Runs a file's example. @returns its last constant. */
async function run(file: string, scope: Readonly<Record<string, unknown>>): Promise<unknown> {
  const [, block] = EXAMPLE.exec(readFileSync(join(root, file), 'utf8')) ?? [];
  if (block === undefined) throw new Error(`${file} has no example.`);
  const code = block.replaceAll(/^ \* /gm, '');
  const last = [...code.matchAll(/^const (?:(\w+)|\{ (\w+))/gm)].at(-1);
  const body = `return (async () => { ${code}\nreturn ${last?.[1] ?? last?.[2] ?? 'undefined'}; })();`;
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- it is the code of our own comments
  const example = new Function(...Object.keys(scope), body);
  const result: unknown = Reflect.apply(example, undefined, Object.values(scope));
  return result;
}

const photo = (label: string, place: number): Uint8Array => readFileSync(photos('train', label)[place]);

test('from an image to a prediction', async () => {
  const pixels = await run('src/image/index.ts', {
    createImageDecoder,
    ...modules,
    photo: photo('glass', 0),
  });
  expect(pixels).toHaveLength(160 * 160 * 3);

  const backbone = loadBackbone(planJson(), weightsFile());
  const { height, width } = backbone.plan.input;
  const decoder = createImageDecoder(modules);
  const pixelsOf = async (label: string, place: number): Promise<Uint8Array> =>
    (await decoder.decode(photo(label, place), { height, width, rules: 2 })).pixels;
  const codeOf = async (label: string, place: number): Promise<unknown> =>
    run('src/backbone/simd/engine.ts', {
      loadBackbone,
      createSimdEngine,
      planJson: planJson(),
      weights: weightsFile(),
      engineModule: BUILDS.plain,
      pixels: await pixelsOf(label, place),
    });
  const codes = {
    glass1: await codeOf('glass', 0),
    glass2: await codeOf('glass', 1),
    paper1: await codeOf('paper', 0),
    paper2: await codeOf('paper', 1),
  };
  const head = Trained.parse(
    await run('src/learn/ridge/train.ts', { trainHead, linalg, backbone, ...codes }),
  );
  expect(head.labels).toEqual(['glass', 'paper']);

  const bytes = writeHead(head);
  const again = Trained.parse(await run('src/head/file.ts', { readHead, assertCompatible, backbone, bytes }));
  expect(writeHead(again)).toEqual(bytes);
  expect(await run('src/head/score.ts', { score, head, code: codes.paper1 })).toBe('paper');
});

test('metrics of three examples', async () => {
  expect(await run('src/learn/statistics/metrics.ts', { evaluate })).toBe(2 / 3);
});

test('the client teaches and classifies', async () => {
  const taught = { head: 'pets', examples: 2, classes: [] };
  const image = { width: 8, height: 8, format: 'jpeg' };
  const unknown = { score: 0, is_unknown: false };
  const prediction = { label: 'cat', score: 1 };
  const answer = { head: 'pets', version: 1, predictions: [prediction], unknown, image };
  const { url, requests } = await serve((count) => ({ status: 200, body: count === 1 ? taught : answer }));
  const [cat, dog] = [Uint8Array.of(1), Uint8Array.of(2)];
  const scope = { HeadwaterClient, url, key: 'hw_key', cat, dog, photo: cat };
  expect(await run('sdk/client.ts', scope)).toEqual([prediction]);
  expect(requests.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
    'POST /v1/heads/pets/teach',
    'POST /v1/heads/pets/classify',
  ]);
});
