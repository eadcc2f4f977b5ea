/** Codes of one backbone at two sizes have the same length and weights, and are never mixed. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BackupRow, type Classification, type Embeddings, type ReviewItem } from '../../src/api/index.ts';
import { readHead, writeHead, type Head } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/ridge/train.ts';
import { backupOf, fileOf, sendBackup } from './backups.ts';
import { JPEG, picture, problemOf, stubOf, type Isolate } from './support.ts';
import { codeOf, embed, headAt, newer, older, OWN, SMALL } from './two-sizes.ts';
import linalg from '../../build/wasm/linalg.wasm?module';

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

/** A teach request of codes as /v1/embed answered them. */
const requestOf = ({ backbone, space, base, embeddings }: Embeddings, more: object = {}) => ({
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
    const wanted = await trainHead(
      {
        backbone,
        taps,
        labels: ['cat', 'dog'],
        codes: Float16Array.from(codes),
        targets: Uint16Array.of(0, 0, 1, 1, 1),
      },
      { linalg },
    );
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

describe('codes of another size', () => {
  it('are refused in a teach request', async () => {
    const { key } = await older.newTenant();
    await teach(older, key);
    const [own, other] = [await embed(older, key), await embed(newer, key)];
    expect(own.code_length).toBe(other.code_length);
    expect(own.backbone).toEqual(other.backbone);
    expect(own.embeddings[0].code).not.toBe(other.embeddings[0].code);
    for (const isolate of [older, newer]) {
      expect(await problemOf(await teachCodes(isolate, key, requestOf(other)))).toEqual({
        ...MISMATCH,
        field: 'space',
      });
    }
    expect((await teachCodes(newer, key, requestOf(own))).status).toBe(200);
  });

  it('are refused where no size is named, which means the own one', async () => {
    const { key } = await newer.newTenant();
    const made = await embed(newer, key);
    const unnamed = requestOf(made, { space: undefined });
    expect(await problemOf(await teachCodes(newer, key, unnamed))).toEqual({ ...MISMATCH, field: 'space' });
    const { taps } = made.space;
    for (const space of [
      { taps },
      { taps, input: { ...SMALL, rules: 1 } },
      { taps: taps.slice(1), input: SMALL },
    ])
      expect(await problemOf(await teachCodes(newer, key, requestOf(made, { space })))).toEqual({
        ...MISMATCH,
        field: 'space',
      });
    expect((await teachCodes(newer, key, requestOf(made))).status).toBe(200);
    const old = { ...requestOf(await embed(older, key)), space: undefined };
    expect((await older.call('/v1/heads/old/teach', { key, json: old })).status).toBe(200);
  });

  it('are refused on top of an uploaded head, which is taught with its own', async () => {
    const { key } = await older.newTenant();
    expect((await older.put(key, 'pets', writeHead(await headAt(SMALL)))).status).toBe(201);
    const made = await embed(older, key, '&head=pets');
    expect(made.space.input).toEqual(SMALL);
    const { input, ...space } = made.space;
    expect(input).toEqual(SMALL);
    expect(await problemOf(await teachCodes(older, key, requestOf(made, { space })))).toEqual({
      ...MISMATCH,
      field: 'space',
    });
    expect(await (await teachCodes(older, key, requestOf(made))).json()).toMatchObject({ version: 2 });
    expect((await currentHead(older, key, 2)).input).toEqual(SMALL);
    // The hash of the head's file names what it reads.
    const again = await embed(older, key, '&head=pets');
    const bare = requestOf(again, { space: undefined });
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
    expect((await teachCodes(older, key, requestOf(await embed(older, key, '&head=pets')))).status).toBe(200);
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
