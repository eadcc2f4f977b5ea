/** Every call of the client against the Worker, and every route of the Worker against the client. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { HeadwaterClient } from '../../../sdk/client.ts';
import { workersAi } from '../../../sdk/workers-ai.ts';
import { headFile, TestHost, picture } from '../protocols/test-host.ts';

/** Of operators, with the admin secret or with files of any size: docs/api.md and docs/storage.md have their command lines. */
const ABSENT = [
  'GET /healthz',
  'GET /v1/backup',
  'POST /v1/restore',
  'POST /v1/tenants',
  'DELETE /v1/tenants/{id}',
];

const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.unknown())) });

const JPEG = { bytes: picture(), type: 'image/jpeg' };
const upload = (label: string, file: string) => ({ label, name: file, bytes: picture(file) });

let host: TestHost;
let client: HeadwaterClient;
let key: string;
/** Method and path of every request that was sent. */
const sent = new Set<string>();
const noting: typeof fetch = (input, init) => {
  sent.add(`${init?.method} ${new URL(input instanceof Request ? input.url : input).pathname}`);
  return fetch(input, init);
};

beforeAll(async () => {
  host = await TestHost.open();
  key = await host.newTenant();
  client = new HeadwaterClient({ url: host.url, key, fetch: noting });
});
afterAll(() => host.close());

describe('the client', () => {
  it('moves heads and versions, names them, lets them answer a share or in silence', async () => {
    expect(await client.putHead('pets', await headFile(['cat', 'dog']))).toMatchObject({ version: 1 });
    const second = await headFile(['cat', 'dog'], 7);
    expect(await client.putHead('pets', second)).toMatchObject({ version: 2 });
    const downloaded = await client.downloadVersion('pets', 2);
    expect(new Uint8Array(await downloaded.arrayBuffer())).toEqual(second);
    expect(await client.nameVersion('pets', 'stable', 1)).toMatchObject({ names: { stable: 1 } });
    expect(await client.classify('pets', JPEG, { version: 'stable' })).toMatchObject({ version: 1 });
    const binding = workersAi({ url: host.url, key });
    expect(await binding.run('@headwater/pets@stable', { image: JPEG.bytes })).toHaveLength(2);
    expect(await client.shadowVersion('pets', 1)).toMatchObject({ version: 2, shadow: { version: 1 } });
    expect(await client.shadowVersion('pets', null)).not.toHaveProperty('shadow');
    expect((await client.unnameVersion('pets', 'stable')).names).toEqual({});
    await client.activateVersion('pets', 1);
    expect(await client.routing('pets')).toEqual({ version: 1, names: {} });
    expect(await client.describeHead('pets')).toMatchObject({ version: 1, versions: [{}, {}] });
    expect(await client.listHeads()).toMatchObject([{ head: 'pets', versions: 2 }]);
  });

  it('draws the share of a canary by a key of the caller', async () => {
    await client.activateVersion('pets', 2, { percent: 50 });
    const users = Array.from({ length: 12 }, (_, i) => `user ${i}`);
    const met = new Map<string, number>();
    for (const routingKey of users)
      met.set(routingKey, (await client.classify('pets', JPEG, { routingKey })).version);
    expect(new Set(met.values())).toEqual(new Set([1, 2]));
    for (const [routingKey, version] of met) {
      const { results } = await client.classifyMany(['pets'], JPEG, { routingKey });
      expect(results).toMatchObject([{ version }]);
      const archive = [new File([picture('lossy.webp')], 'other.webp')];
      for await (const line of client.classifyBatch('pets', archive, { routingKey }))
        if ('predictions' in line) expect(line.version ?? 1).toBe(version);
    }
    await expect(client.classify('pets', JPEG, { routingKey: 'Ζωή' })).rejects.toThrow(TypeError);
    await expect(client.classify('pets', JPEG, { routingKey: '' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await client.activateVersion('pets', 1);
    await client.deleteVersion('pets', 2);
  });

  it('keeps pictures of examples where the tenant wants them, and shows them', async () => {
    expect(await client.tenantSettings()).toEqual({ keep_images: false });
    expect(await client.configureTenant({ keep_images: true })).toEqual({ keep_images: true });
    const batch = [
      upload('a', 'exif-1.jpg'),
      upload('a', 'grey.jpg'),
      upload('b', 'rgb.png'),
      upload('b', 'lossy.webp'),
    ];
    const stored = await client.teach('shapes', batch, { idempotencyKey: 'first', train: false });
    expect(stored).toMatchObject({ added: 4 });
    expect(stored).not.toHaveProperty('version');
    expect(await client.train('shapes')).toMatchObject({ version: 1 });
    const first = await client.listExamples('shapes', { limit: 3 });
    expect(first).toMatchObject({ total: 4, examples: [{}, {}, {}] });
    const rest = await client.listExamples('shapes', { limit: 3, after: first.next });
    expect(rest.examples).toHaveLength(1);
    expect(rest).not.toHaveProperty('next');
    const all = [...first.examples, ...rest.examples];
    expect(all.every((example) => example.has_image)).toBe(true);
    const { examples } = await client.listExamples('shapes', { label: 'b' });
    const images = await Promise.all(examples.map(({ id }) => client.exampleImage('shapes', id)));
    expect(images.map(({ type }) => type).sort()).toEqual(['image/png', 'image/webp']);
    const png = images.find(({ type }) => type === 'image/png');
    expect(new Uint8Array((await png?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(picture('rgb.png'));
    // In the default code space already.
    const progress = await client.rebaseProgress('shapes');
    expect(progress).toMatchObject({ state: 'done', total: 4, done: 4 });
    expect(await client.rebase('shapes')).toEqual(progress);
    expect(await client.giveUpRebase('shapes')).toEqual(progress);
    await client.configureTenant({ keep_images: false });
    await expect(client.exampleImage('shapes', examples[0].id)).rejects.toMatchObject({
      code: 'image_not_found',
    });
  });

  it('puts labels right, and forgets', async () => {
    const { examples } = await client.listExamples('shapes', { label: 'a' });
    expect(await client.relabelExample('shapes', examples[0].id, 'b')).toMatchObject({ version: 2 });
    expect(await client.versionReport('shapes', 2)).toMatchObject({ labels: ['a', 'b'] });
    await client.forgetExample('shapes', examples[0].id);
    await client.forgetClass('shapes', 'a');
    expect(await client.listExamples('shapes')).toMatchObject({ total: 2 });
  });

  it('keeps predictions for review, and takes what a person says of them', async () => {
    const settings = { guard_margin: null, capture: true };
    expect(await client.configure('pets', settings)).toEqual(settings);
    expect(await client.settings('pets')).toEqual(settings);
    const { id } = await client.classify('pets', JPEG);
    expect(id).toBeTypeOf('string');
    await expect.poll(async () => (await client.review('pets')).map((item) => item.id)).toEqual([id]);
    await client.feedback('pets', { id: id ?? '', label: null });
    expect(await client.review('pets')).toEqual([]);
  });

  it('gives codes, of the backbone or of a head, as numbers or packed', async () => {
    const pictures = [JPEG, { bytes: new Blob([picture('rgb.png')]), type: 'image/png' }];
    const plain = await client.embed(pictures);
    expect(plain.embeddings.map(({ code }) => code.length)).toEqual([plain.code_length, plain.code_length]);
    const packed = await client.embed([JPEG], { head: 'pets', encoding: 'base64' });
    expect(packed.base).toMatch(/^[0-9a-f]{64}$/);
    expect(packed.embeddings[0].code).toBeTypeOf('string');
    const old = await client.embed([JPEG], { backbone: 'mobilenet-v3-small', size: 224, rules: 1 });
    expect(old.space.input).toEqual({ height: 224, width: 224, rules: 1 });
  });

  it('makes, replaces and revokes keys, and tells what was used', async () => {
    const made = await client.createKey('reader', ['read']);
    const replaced = await client.rotateKey(made.id);
    expect(replaced).toMatchObject({ name: 'reader', scopes: ['read'] });
    await client.revokeKey(replaced.id);
    const revoked = (await client.listKeys()).filter((known) => known.revoked_at !== undefined);
    expect(revoked.map(({ id }) => id).sort()).toEqual([made.id, replaced.id].sort());
    expect((await client.usage({ days: 1 })).days.length).toBeLessThanOrEqual(1);
    await client.deleteHead('pets');
    await expect(client.describeHead('pets')).rejects.toMatchObject({ code: 'head_not_found' });
  });
});

it('every route of the document has been called, or is left out on purpose', async () => {
  const { paths } = Document.parse(await host.call(key, '/openapi.json'));
  const routes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(routes.filter((route) => !called(route)).sort()).toEqual([...ABSENT].sort());
});

/** @param route with `{names}` where requests have what they name. */
function called(route: string): boolean {
  const pattern = new RegExp(`^${route.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  return [...sent].some((request) => pattern.test(request));
}
