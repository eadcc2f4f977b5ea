/** Models from elsewhere and fine-tuned ones end to end: they answer as they did where they come from, and learn more. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { root } from '../../../scripts/build/stale.ts';
import { nativeRuntime } from '../../../bench/peers/load.ts';
import { fromFolder, readModelFiles } from '../../../trainer/import/model-files.ts';
import { originalLayersModel } from '../../../trainer/import/parity.ts';
import { LUMA, PIXEL_SCALE } from '../../../trainer/import/teachable-machine.ts';
import { metadataOf, mobileNetV1, savedFiles } from '../import/keras.ts';
import { mobileNetV2, V2_SIDE } from '../import/mobilenet-v2.ts';
import { withoutPeers } from '../peers.ts';
import { filesIn, largerSet, photos } from '../photos.ts';
import { headwater, writeFiles } from '../trainer/workspace.ts';
import { Deployment } from './deployment.ts';

/** What 8 bits may move a probability by. */
const ON_8_BITS = 0.1;
/** What the site exported for people, where a machine has some: by name, with its folder. */
const exported = largerSet('teachable-machine');
const GIVEN = new Map(
  (exported === undefined ? [] : filesIn(exported)).map((path) => [basename(path), path]),
);
/** Photos of another kind, beside them. */
const LARGER = largerSet('flowers');
const MADE = [
  { name: 'V2', size: V2_SIDE, grey: false, model: mobileNetV2 },
  { name: 'V1 in colour', size: 96, grey: false, model: mobileNetV1 },
  { name: 'V1 in grey', size: 96, grey: true, model: mobileNetV1 },
];

const Answer = z.object({
  version: z.int(),
  predictions: z.array(z.object({ label: z.string(), score: z.number() })),
});
const Answers = z.object({ results: z.array(Answer.pick({ predictions: true })) });
const Taught = z.looseObject({
  version: z.int(),
  current: z.boolean(),
  added: z.int(),
  leave_one_out: z.object({ accuracy: z.number() }),
});

/** A photo as a PNG of the size that a model reads: nothing is resized on its way, so its pixels are given. */
async function given(photo: string, side: number): Promise<{ png: Uint8Array; pixels: Uint8Array }> {
  const resized = sharp(photo).resize(side, side, { fit: 'fill' }).removeAlpha();
  const png = await resized.png().toBuffer();
  return { png: new Uint8Array(png), pixels: new Uint8Array(await sharp(png).raw().toBuffer()) };
}

/** A model's probabilities for a picture's pixels in TensorFlow.js, by its own loader. */
async function original(folder: string): Promise<(pixels: Uint8Array, side: number) => Float32Array> {
  const model = await originalLayersModel(await readModelFiles(fromFolder(folder)));
  await tf.setBackend('cpu');
  return (pixels, side) =>
    tf.tidy(() => {
      const colour = tf.tensor4d(pixels, [1, side, side, 3], 'float32');
      const isGrey = model.inputs[0].shape[3] === 1;
      const input = isGrey ? tf.sum(tf.mul(colour, tf.tensor1d([...LUMA])), -1, true) : colour;
      const answer = model.predict(tf.sub(tf.div(input, PIXEL_SCALE), 1));
      if (Array.isArray(answer)) throw new Error('The original has several outputs.');
      return answer.dataSync<'float32'>();
    });
}

/** Square parts of a photo, 60 % of its width, here and there in it. */
async function partsOf(photo: string, count: number, folder: string): Promise<string[]> {
  const { width, height } = await sharp(photo).metadata();
  const side = Math.round(0.6 * width);
  const parts = Array.from({ length: count }, async (_, i) => {
    const [left, top] = [((width - side) * (i % 3)) / 2, ((height - side) * i) / count].map(Math.floor);
    const path = join(folder, `${i}-of-${basename(photo)}`);
    await sharp(photo).extract({ left, top, width: side, height: side }).toFile(path);
    return path;
  });
  return Promise.all(parts);
}

describe('on local workerd', () => {
  const deployment = new Deployment();
  afterAll(() => deployment.stop());
  const heads = new Map<string, string>();
  const folders = new Map<string, string>(GIVEN);
  const env = { HEADWATER_BACKBONES: deployment.backbones };
  const cwd = deployment.workspace;

  beforeAll(async () => {
    for (const { name, model, ...options } of MADE) {
      const made = { ...options, labels: ['left', 'right', 'up'] };
      const parts = Object.fromEntries(await savedFiles(await model(made)));
      folders.set(
        name,
        writeFiles(join(cwd, name), { ...parts, 'metadata.json': JSON.stringify(metadataOf(made)) }),
      );
    }
    for (const [name, folder] of folders) {
      const out = join(cwd, `${name}.safetensors`);
      const run = await headwater(['import', 'teachable-machine', folder, '--out', out], { cwd, env });
      expect(run.code, run.stderr).toBe(0);
      heads.set(name, out);
    }
    await deployment.start();
  });

  /** A new tenant with the head. */
  async function pushed(file: string): Promise<string> {
    const key = await deployment.newTenant();
    const push = await headwater(['push', file, '--head', 'h', ...deployment.remote(key)], { cwd });
    expect(push.code, push.stderr).toBe(0);
    return key;
  }

  /** Probabilities by label. */
  async function classify(key: string, picture: Uint8Array, version = ''): Promise<Map<string, number>> {
    const headers = { 'content-type': 'application/octet-stream' };
    const init = { method: 'POST', headers, body: Uint8Array.from(picture) };
    const answer = Answer.parse(
      await (await deployment.call(key, `/v1/heads/h/classify?top_k=100${version}`, init)).json(),
    );
    return new Map(answer.predictions.map(({ label, score }) => [label, score]));
  }

  /** Label with the largest probability. */
  async function top(key: string, photo: string): Promise<string> {
    return [...(await classify(key, new Uint8Array(readFileSync(photo))))][0][0];
  }

  async function teach(
    key: string,
    label: string,
    photos: readonly string[],
  ): Promise<{ version: number; leftOut: number }> {
    const body = new FormData();
    for (const photo of photos) body.append(label, new Blob([readFileSync(photo)]), photo);
    const answer = await deployment.call(key, '/v1/heads/h/teach', { method: 'POST', body });
    const taught = Taught.parse(await answer.json());
    expect(taught).toMatchObject({ current: true, added: photos.length });
    return { version: taught.version, leftOut: taught.leave_one_out.accuracy };
  }

  /** What ONNX Runtime makes of the exported version must be what the Worker answers. */
  /** @param apart how far probabilities may be apart: exports compute in floats, the Worker where it can on 8 bits. */
  async function expectSameInOnnx(
    key: string,
    version: number,
    photos: readonly string[],
    side: number,
    apart = 1e-4,
  ) {
    if (withoutPeers()) return;
    const download = await deployment.call(key, `/v1/heads/h/versions/${version}`);
    const file = join(cwd, 'exported.safetensors');
    writeFileSync(file, new Uint8Array(await download.arrayBuffer()));
    const args = ['export', file, '--format', 'onnx', '--out', join(cwd, 'onnx')];
    expect(await headwater(args, { cwd, env })).toMatchObject({ code: 0 });
    const model = new Uint8Array(readFileSync(join(cwd, 'onnx', 'model.onnx')));
    const runtime = await nativeRuntime();
    const session = await runtime.InferenceSession.create(model);
    const labels = z
      .array(z.string())
      .parse(JSON.parse(readFileSync(join(cwd, 'onnx', 'labels.json'), 'utf8')));
    for (const photo of photos) {
      const { png, pixels } = await given(photo, side);
      const feeds = { pixels: new runtime.Tensor('uint8', pixels, [1, side, side, 3]) };
      const { probabilities } = await session.run(feeds);
      const ours = await classify(key, png, `&version=${version}`);
      labels.forEach((label, i) => {
        expect(Math.abs(probabilities.data[i] - (ours.get(label) ?? NaN))).toBeLessThan(apart);
      });
    }
  }

  const trash = ['glass', 'metal', 'paper'].flatMap((label) => photos('test', label, 2));
  /** The class that is taught later: parts of one photo to learn from, of another one to be found; or photos of daisies. */
  const NEW = 'new';
  let meals: { readonly taught: string[]; readonly unseen: string[] };
  let flowers: typeof meals;
  beforeAll(async () => {
    const [one, other] = ['meal_1.jpg', 'meal_2.jpg'].map((name) => join(root, 'examples/other', name));
    meals = { taught: await partsOf(one, 10, cwd), unseen: await partsOf(other, 20, cwd) };
    // What a given model knows tells whole photos apart, not parts of them.
    const daisies = LARGER === undefined ? [] : filesIn(join(LARGER, 'train', 'daisy'));
    flowers = { taught: daisies.slice(0, 10), unseen: daisies.slice(10, 30) };
  });

  test.each([...GIVEN.keys(), ...MADE.map(({ name }) => name)])(
    '%s answers as the original does, and is taught one class more',
    async (name) => {
      const key = await pushed(heads.get(name) ?? '');
      const side = MADE.find((made) => made.name === name)?.size ?? V2_SIDE;
      const predict = await original(folders.get(name) ?? '');
      const before: Map<string, number>[] = [];
      for (const photo of trash) {
        const { png, pixels } = await given(photo, side);
        const [ours, theirs] = [await classify(key, png), predict(pixels, side)];
        const metadata: unknown = JSON.parse(
          readFileSync(join(folders.get(name) ?? '', 'metadata.json'), 'utf8'),
        );
        const { labels } = z.object({ labels: z.array(z.string()) }).parse(metadata);
        labels.forEach((label, i) => {
          expect(Math.abs((ours.get(label) ?? NaN) - theirs[i])).toBeLessThan(1e-4);
        });
        before.push(ours);
      }

      const isKnown = GIVEN.has(name) && LARGER !== undefined;
      const { taught, unseen } = isKnown ? flowers : meals;
      const { version, leftOut } = await teach(key, NEW, taught);
      let [found, lost] = [0, 0];
      for (const photo of unseen) if ((await top(key, photo)) === NEW) found++;
      for (const [i, photo] of trash.entries()) {
        const after = await classify(key, (await given(photo, side)).png);
        if ([...after][0][0] === NEW) lost++;
        // Among the old labels it answers as before.
        const old = 1 - (after.get(NEW) ?? NaN);
        for (const [label, score] of before[i])
          if (old > 0.01) expect(Math.abs((after.get(label) ?? NaN) / old - score)).toBeLessThan(1e-4);
      }
      // Weights that were made up tell nothing apart.
      if (isKnown) {
        expect(found).toBeGreaterThanOrEqual(17);
        expect(lost).toBeLessThanOrEqual(1);
        // What it said about the new class, of its ten photos, each judged without itself or nearly so.
        expect(leftOut).toBeGreaterThanOrEqual(0.7);
      }
      await expectSameInOnnx(key, 1, trash.slice(0, 2), side);
      await expectSameInOnnx(key, version, [...trash.slice(0, 2), unseen[0]], side);
    },
  );

  test('a fine-tuned head answers as the trainer does, and is taught one class more on its own codes', async () => {
    const folder = join(cwd, 'photos');
    for (const label of ['glass', 'paper'])
      for (const photo of photos('train', label, 4))
        cpSync(photo, join(folder, label, basename(photo)), { recursive: true });
    const file = join(cwd, 'tuned.safetensors');
    const tuning = ['train', folder, '--out', file, '--strategy', 'fine-tune', '--no-report'];
    const trained = await headwater(tuning, { cwd });
    expect(trained.code, trained.stderr).toBe(0);
    const key = await pushed(file);
    await expectSameAsTrainer(key, file, trash);
    await expectSameInOnnx(key, 1, trash.slice(0, 3), 160, ON_8_BITS);

    const { version } = await teach(key, NEW, meals.taught);
    let found = 0;
    for (const photo of meals.unseen) if ((await top(key, photo)) === NEW) found++;
    expect(found).toBeGreaterThanOrEqual(17);
    for (const photo of trash) expect(await top(key, photo)).not.toBe(NEW);
    await expectSameInOnnx(key, version, [...trash.slice(0, 3), meals.unseen[0]], 160, ON_8_BITS);
    const download = await deployment.call(key, `/v1/heads/h/versions/${version}`);
    writeFileSync(file, new Uint8Array(await download.arrayBuffer()));
    await expectSameAsTrainer(key, file, [...trash, meals.unseen[0]]);
  }, 600_000);

  test('a linear head answers in ONNX Runtime as it does here', async () => {
    const key = await deployment.newTenant();
    await teachPlain(key);
    await expectSameInOnnx(key, 1, [...trash.slice(0, 2), meals.unseen[0]], 160, ON_8_BITS);
  });

  /** A head that is taught from nothing. */
  async function teachPlain(key: string): Promise<void> {
    const body = new FormData();
    for (const label of ['glass', 'paper'])
      for (const photo of photos('train', label, 6))
        body.append(label, new Blob([readFileSync(photo)]), photo);
    await deployment.call(key, '/v1/heads/h/teach', { method: 'POST', body });
  }

  async function expectSameAsTrainer(key: string, file: string, photos: readonly string[]): Promise<void> {
    const all = ['--top-k', '100', '--json'];
    const [here, there] = await Promise.all(
      [
        ['--head', file],
        ['--head', 'h', ...deployment.remote(key)],
      ].map(async (head) => {
        const run = await headwater(['classify', ...photos, ...head, ...all], { cwd, env });
        expect(run.code, run.stderr).toBe(0);
        return Answers.parse(JSON.parse(run.stdout)).results;
      }),
    );
    for (const [i, { predictions }] of here.entries()) {
      const scores = new Map(there[i].predictions.map(({ label, score }) => [label, score]));
      expect(predictions.length).toBe(scores.size);
      for (const { label, score } of predictions)
        expect(Math.abs(score - (scores.get(label) ?? NaN))).toBeLessThan(1e-3);
    }
  }
});
