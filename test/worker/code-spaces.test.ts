/** Codes of one backbone at two sizes have the same length and weights, and are never mixed. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { BackupRow, type Classification, type Embeddings, type ReviewItem } from '../../src/api/index.ts';
import { readHead, writeHead, type Head, type PictureInput } from '../../src/head/index.ts';
import { defaultInput } from '../../src/head/picture-input.ts';
import { trainHead } from '../../src/learn/train.ts';
import { see } from '../../worker/classify.ts';
import { RequestWork } from '../../worker/request-work.ts';
import { backupOf, fileOf, sendBackup } from './backups.ts';
import { JPEG, picture, problemOf, stubOf, type Isolate } from './support.ts';
import { BACKBONE, headAt, newer, older, OWN, SMALL, small, usual } from './two-sizes.ts';

const PICTURES = { cat: ['lossy.webp', 'rgb16.png'], dog: ['palette-alpha.png', 'exif-6.jpg'] };
const MISMATCH = { status: 409, code: 'backbone_mismatch' };

function form(): FormData {
  const body = new FormData();
  for (const [label, names] of Object.entries(PICTURES))
    for (const name of names) body.append(label, new Blob([picture(name).slice()]), name);
  return body;
}

async function teach(isolate: Isolate, key: string, head = 'pets'): Promise<void> {
  const response = await isolate.call(`/v1/heads/${head}/teach`, { key, body: form() });
  expect(response.status, await response.clone().text()).toBe(200);
}

async function embed(isolate: Isolate, key: string, query = ''): Promise<Embeddings> {
  const response = await isolate.call(`/v1/embed?encoding=base64${query}`, {
    key,
    type: 'image/jpeg',
    body: JPEG,
  });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

/** A lesson of codes as /v1/embed answered them. */
const lessonOf = ({ backbone, space, base, embeddings }: Embeddings, more: object = {}) => ({
  backbone,
  space,
  base,
  examples: embeddings.map(({ code }) => ({ label: 'cat', code })),
  ...more,
});

const teachCodes = (isolate: Isolate, key: string, json: object): Promise<Response> =>
  isolate.call('/v1/heads/pets/teach', { key, json });

async function currentHead(isolate: Isolate, key: string, version: number): Promise<Head> {
  const file = await isolate.call(`/v1/heads/pets/versions/${version}`, { key });
  return readHead(new Uint8Array(await file.arrayBuffer()));
}

const restored = async (rows: readonly object[]): Promise<Response> =>
  sendBackup(newer, (await newer.newTenant()).key, fileOf(rows));

/** The row as it lies there. */
const originOf = (tenant: string): Promise<object> =>
  runInDurableObject(stubOf(tenant), (_, { storage }) => {
    const { backbone } = storage.sql.exec<{ backbone: string }>('SELECT backbone FROM taught_heads').one();
    return z.looseObject({}).parse(JSON.parse(backbone));
  });

describe("a head's first example fixes its code space", () => {
  it('and a row of before there were sizes means the own size by rules 1', async () => {
    const { id, key } = await older.newTenant();
    await teach(older, key);
    // As every row was written then.
    expect(Object.keys(await originOf(id)).toSorted()).toEqual([
      'codeLength',
      'name',
      'taps',
      'version',
      'weightsSha256',
    ]);
    const first = await currentHead(older, key, 1);
    expect(first.input).toBeUndefined();

    const body = new FormData();
    body.append('dog', new Blob([JPEG.slice()]), 'one more');
    expect((await newer.call('/v1/heads/pets/teach', { key, body })).status).toBe(200);
    const second = await currentHead(newer, key, 2);
    expect(second.input).toBeUndefined();
    expect(second.training.examples).toBe(5);
    // It is the head that the older deployment would have made.
    const codes: number[] = [];
    for (const name of [...PICTURES.cat, ...PICTURES.dog]) codes.push(...(await codeOf(OWN, picture(name))));
    codes.push(...(await codeOf(OWN, JPEG)));
    const { backbone, taps } = first;
    const wanted = await trainHead({
      backbone,
      taps,
      labels: ['cat', 'dog'],
      codes: Float16Array.from(codes),
      targets: Uint16Array.of(0, 0, 1, 1, 1),
    });
    for (const [i, weight] of second.weights.entries()) expect(weight).toBeCloseTo(wanted.weights[i], 4);
  });

  it('at the default of its day', async () => {
    const { id, key } = await newer.newTenant();
    await teach(newer, key);
    expect(await originOf(id)).toMatchObject({ name: 'sized', input: SMALL });
    expect((await currentHead(newer, key, 1)).input).toEqual(SMALL);
    // Where the default is another one, it goes on in its own.
    await teach(older, key, 'others');
    expect((await older.call('/v1/heads/pets/examples', { key })).status).toBe(200);
    expect((await embed(older, key, '&head=pets')).space.input).toEqual(SMALL);
    expect((await embed(newer, key, '&head=others')).space.input).toEqual(OWN);
  });
});

async function codeOf(input: PictureInput, bytes: Uint8Array): Promise<Float32Array> {
  const runtime = await usual.of({ backbone: usual.plan, input });
  const { pixels } = await runtime.decoder.decode(bytes, input);
  return runtime.engine.codes(pixels);
}

describe('codes of another size', () => {
  it('are refused in a lesson', async () => {
    const { key } = await older.newTenant();
    await teach(older, key);
    const [own, other] = [await embed(older, key), await embed(newer, key)];
    expect(own.code_length).toBe(other.code_length);
    expect(own.backbone).toEqual(other.backbone);
    expect(own.embeddings[0].code).not.toBe(other.embeddings[0].code);
    for (const isolate of [older, newer]) {
      expect(await problemOf(await teachCodes(isolate, key, lessonOf(other)))).toEqual({
        ...MISMATCH,
        field: 'space',
      });
    }
    expect((await teachCodes(newer, key, lessonOf(own))).status).toBe(200);
  });

  it('are refused where no size is named, which means the own one', async () => {
    const { key } = await newer.newTenant();
    const made = await embed(newer, key);
    const unnamed = lessonOf(made, { space: undefined });
    expect(await problemOf(await teachCodes(newer, key, unnamed))).toEqual({ ...MISMATCH, field: 'space' });
    const { taps } = made.space;
    for (const space of [
      { taps },
      { taps, input: { ...SMALL, rules: 1 } },
      { taps: taps.slice(1), input: SMALL },
    ])
      expect(await problemOf(await teachCodes(newer, key, lessonOf(made, { space })))).toEqual({
        ...MISMATCH,
        field: 'space',
      });
    expect((await teachCodes(newer, key, lessonOf(made))).status).toBe(200);
    const old = { ...lessonOf(await embed(older, key)), space: undefined };
    expect((await older.call('/v1/heads/old/teach', { key, json: old })).status).toBe(200);
  });

  it('are refused on top of an uploaded head, which is taught with its own', async () => {
    const { key } = await older.newTenant();
    expect((await older.put(key, 'pets', writeHead(await headAt(SMALL)))).status).toBe(201);
    const made = await embed(older, key, '&head=pets');
    expect(made.space.input).toEqual(SMALL);
    const { input, ...space } = made.space;
    expect(input).toEqual(SMALL);
    expect(await problemOf(await teachCodes(older, key, lessonOf(made, { space })))).toEqual({
      ...MISMATCH,
      field: 'space',
    });
    expect(await (await teachCodes(older, key, lessonOf(made))).json()).toMatchObject({ version: 2 });
    expect((await currentHead(older, key, 2)).input).toEqual(SMALL);
    // The hash of the head's file names what it reads.
    const again = await embed(older, key, '&head=pets');
    const bare = lessonOf(again, { space: undefined });
    expect((await teachCodes(older, key, bare)).status).toBe(200);
  });

  it('are refused where a captured prediction becomes an example', async () => {
    const { key } = await older.newTenant();
    await teach(older, key);
    await older.call('/v1/heads/pets/settings', { key, method: 'PUT', json: { capture: true } });
    const head = await headAt(SMALL);
    // Everything is unknown to it, and so is kept.
    const wondering = { ...head, novelty: { ...head.novelty, threshold: -1e6 } };
    expect((await older.put(key, 'pets', writeHead(wondering))).status).toBe(201);
    const { id } = await (await older.classify(key, 'pets')).json<Classification>();
    if (id === undefined) expect.fail('the prediction was not kept');
    const list = await (await older.call('/v1/heads/pets/review', { key })).json<{ items: ReviewItem[] }>();
    expect(list.items.map((item) => item.id)).toEqual([id]);
    const feedback = await older.call('/v1/heads/pets/feedback', { key, json: { id, label: 'cat' } });
    expect(await problemOf(feedback)).toEqual(MISMATCH);
  });

  it('are refused in a backup', async () => {
    const { key } = await older.newTenant();
    expect((await older.put(key, 'pets', writeHead(await headAt(SMALL)))).status).toBe(201);
    expect((await teachCodes(older, key, lessonOf(await embed(older, key, '&head=pets')))).status).toBe(200);
    const rows = (await backupOf(older, key))
      .trimEnd()
      .split('\n')
      .map((line) => BackupRow.parse(JSON.parse(line)));
    expect((await restored(rows)).status).toBe(200);
    const mixed = rows.map((row) =>
      row.row === 'taught' ? { ...row, origin: { ...row.origin, input: OWN } } : row,
    );
    expect(await problemOf(await restored(mixed))).toEqual(MISMATCH);
  });
});

describe('several code spaces in one request', async () => {
  const inputs: PictureInput[] = [
    OWN,
    SMALL,
    { ...SMALL, rules: 1 },
    { height: 128, width: 128, rules: 2 },
    { ...OWN, rules: 2 },
  ];
  const heads = await Promise.all(inputs.flatMap((input) => [headAt(input, 1), headAt(input, 2)]));

  it('are decoded once, run once each, and answer bit for bit as alone', async () => {
    const { key } = await older.newTenant();
    for (const [i, head] of heads.entries())
      expect((await older.put(key, `h${i}`, writeHead(head))).status).toBe(201);
    const names = heads.map((_, i) => `h${i}`);
    const runtimes = await Promise.all(inputs.map((input) => usual.of({ backbone: usual.plan, input })));
    expect(new Set(runtimes).size).toBe(inputs.length);
    const decode = vi.spyOn(usual.decoder, 'decodeAll');
    // The engine that all sizes share.
    const run = vi.spyOn(usual.engine, 'codes');
    const response = await older.call(`/v1/classify?heads=${names.join()}`, {
      key,
      type: 'image/jpeg',
      body: JPEG,
    });
    const { results } = await response.json<{ results: Classification[] }>();
    expect(run.mock.calls.map(([, size]) => size)).toEqual([undefined, ...inputs.slice(1)]);
    expect(decode).toHaveBeenCalledTimes(1);
    expect(decode.mock.calls[0][1]).toEqual(inputs);
    vi.restoreAllMocks();
    for (const [i, name] of names.entries()) {
      const alone = await (await older.classify(key, name)).json<Classification>();
      expect(alone.predictions).toEqual(results[i].predictions);
      expect(alone.unknown).toEqual(results[i].unknown);
    }
    // Both rules decode a picture this small alike: two heads at each of three sizes.
    expect(new Set(results.map(({ unknown }) => unknown.score)).size).toBe(6);
  });

  it('are charged to the work of the request', async () => {
    const loaded = inputs.map((_, i) => ({
      file: { head: `h${i}`, version: 1, objectName: `h${i}` },
      head: heads[2 * i],
    }));
    const work = new RequestWork();
    const spent = vi.spyOn(work, 'nextRun');
    await see(usual, JPEG, work, loaded);
    expect(spent.mock.calls.map(([runnable]) => runnable.input)).toEqual(inputs);
    const [own, less] = await Promise.all(
      [OWN, SMALL].map((input) => usual.of({ backbone: usual.plan, input })),
    );
    // MobileNetV3-Small has 55.2 million multiply-adds at 224 pixels, and half as many at 160.
    expect(own.workNs / 1e6).toBeCloseTo(55.2 * 0.04, 1);
    expect(less.workNs / own.workNs).toBeCloseTo((160 / 224) ** 2, 1);
  });

  it('are refused where they are too many for the pictures, and not all run', async () => {
    const plan = { name: 'efficientnet-lite0' };
    // What it takes at 128, 160, 192, 224 and 288 pixels, by both pixel rules, and a network of a sixth of it besides.
    const spaces = [128, 160, 192, 224, 288].flatMap((side) => {
      const workNs = (390e6 * (side / 224) ** 2 * 40) / 1000;
      return [workNs, workNs, workNs / 6, workNs / 6].map((each) => ({
        plan,
        input: { height: side, width: side },
        workNs: each,
      }));
    });
    expect(spaces).toHaveLength(20);
    const runs = async (pictures: number): Promise<number> => {
      const work = new RequestWork();
      let ran = 0;
      for (let i = 0; i < pictures; i++) {
        await work.nextPicture();
        for (const space of spaces) {
          await work.nextRun(space);
          ran++;
        }
      }
      return ran;
    };
    await expect(runs(32)).rejects.toMatchObject({
      code: 'too_much_work',
      message: expect.stringMatching(
        /^Running efficientnet-lite0 at \d+×\d+ pixels takes about \d+ ms/,
      ) as unknown,
    });
    expect(await runs(8)).toBe(160);
  });

  it('give way to others between two runs, and not before the first', async () => {
    const work = new RequestWork();
    const rest = vi.spyOn(work, 'rest');
    const runnable = await usual.of({ backbone: usual.plan, input: SMALL });
    await work.nextPicture();
    await work.nextRun(runnable);
    expect(rest).not.toHaveBeenCalled();
    await work.nextRun(runnable);
    expect(rest).toHaveBeenCalledTimes(1);
    await work.nextPicture();
    await work.nextRun(runnable);
    expect(rest).toHaveBeenCalledTimes(2);
  });
});

describe('a head of another size than the default', async () => {
  const { key } = await older.newTenant();
  await older.put(key, 'pets', writeHead(await headAt(SMALL)));

  it('answers pixels of its size, and says it, in the Open Inference Protocol', async () => {
    const { inputs } = await (
      await older.call('/v2/models/pets', { key })
    ).json<{
      inputs: { name: string; shape: number[] }[];
    }>();
    expect(inputs.find(({ name }) => name === 'pixels')?.shape).toEqual([-1, 160, 160, 3]);
    const { pixels } = await usual.decoder.decode(JPEG, SMALL);
    const infer = (shape: number[], data: number[]): Promise<Response> =>
      older.call('/v2/models/pets/infer', {
        key,
        json: {
          inputs: [{ name: 'pixels', datatype: 'UINT8', shape, data }],
          outputs: [{ name: 'probabilities' }],
        },
      });
    const { outputs } = await (
      await infer([1, 160, 160, 3], [...pixels])
    ).json<{ outputs: { data: number[] }[] }>();
    const { predictions } = await (await older.classify(key, 'pets')).json<Classification>();
    expect(outputs[0].data.toSorted((a, b) => b - a)).toEqual(predictions.map(({ score }) => score));
    const other = await infer([1, 224, 224, 3], Array<number>(224 * 224 * 3).fill(9));
    expect(other.status).toBe(400);
    expect(await other.json()).toMatchObject({ code: 'invalid_request' });
  });

  it('explains its answer on maps of its size', async () => {
    const answer = await (await older.classify(key, 'pets', '?explain=cat')).json<Classification>();
    const { predictions } = await (await older.classify(key, 'pets')).json<Classification>();
    expect(answer.predictions).toEqual(predictions);
    const { grid, bias, logit } = answer.explanation!;
    const sum = grid.shares.flat().reduce((total, share) => total + share, bias);
    expect(sum).toBeCloseTo(logit, 4);
  });
});

describe('/v1/embed', async () => {
  const { key } = await newer.newTenant();

  it('says the space of what new heads read', async () => {
    const { backbone, space } = await embed(newer, key);
    expect(backbone).toEqual(BACKBONE);
    expect(space.input).toEqual(SMALL);
    expect(space.taps).toEqual(small.plan.taps.map(({ name }) => name));
    expect(space.statistics).toEqual(space.taps.map(() => 'mean'));
  });

  it('makes codes of a backbone by name, at a size', async () => {
    const { embeddings, space } = await embed(newer, key, '&backbone=sized&size=128');
    expect(space.input).toEqual({ height: 128, width: 128, rules: 2 });
    const wanted = Float16Array.from(await codeOf(space.input!, JPEG));
    expect(embeddings[0].code).toBe(new Uint8Array(wanted.buffer).toBase64());
    expect((await embed(newer, key, '&size=192')).space.input).toEqual({ height: 192, width: 192, rules: 2 });
    expect((await embed(newer, key, '&rules=1')).space.input).toEqual({ ...SMALL, rules: 1 });
  });

  it('makes codes of another backbone as its new heads read them, or by other rules', async () => {
    const lite = await embed(newer, key, '&backbone=efficientnet-lite0');
    expect(lite.backbone.name).toBe('efficientnet-lite0');
    expect(lite.space.input).toEqual({ height: 160, width: 160, rules: 2 });
    for (const rules of [1, 2]) {
      const { backbone, space } = await embed(newer, key, `&backbone=mobilenet-v3-small&rules=${rules}`);
      expect(backbone.name).toBe('mobilenet-v3-small');
      expect(space.input).toEqual({ ...OWN, rules });
    }
    const unsaid = await embed(newer, key, '&backbone=mobilenet-v3-small');
    const { plan } = (await usual.named('mobilenet-v3-small'))!;
    expect(unsaid.space.input).toEqual(defaultInput(plan));
  });

  it.each([
    ['backbone=unknown', 'backbone', 'but efficientnet-lite0, mobilenet-v3-small, sized'],
    ['backbone=sized&size=161', 'size', 'run at 224×224, 128×128, 160×160, 192×192 pixels'],
    ['backbone=mobilenet-v3-small&size=160', 'size', 'run at 224×224 pixels'],
    ['size=0', 'size', 'whole number'],
    ['size=160.5', 'size', 'whole number'],
    ['head=pets&backbone=sized', 'backbone', 'a head has codes of its own'],
    ['head=pets&size=160', 'size', 'a head has codes of its own'],
    ['rules=3', 'rules', ''],
    ['head=pets&rules=1', 'rules', 'a head has codes of its own'],
  ])('refuses %s', async (query, field, detail) => {
    const response = await newer.call(`/v1/embed?${query}`, { key, type: 'image/jpeg', body: JPEG });
    const { detail: said } = await response.clone().json<{ detail: string }>();
    expect(await problemOf(response)).toEqual({ status: 400, code: 'invalid_request', field });
    expect(said).toContain(detail);
  });
});
