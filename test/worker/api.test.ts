import { SELF } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import type { Classification, HeadDetail, HeadStored } from '../../src/api/index.ts';
import { score } from '../../src/head/index.ts';
import { extractFeatures } from '../../worker/predict/features.ts';
import { RequestWork } from '../../worker/isolate/request-work.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { Isolate, JPEG, makeHead, makeHeadFile, picture, problemOf, testEnv } from './support.ts';

const isolate = new Isolate();

describe('the entry', () => {
  it('answers as the deployed Worker does', async () => {
    const response = await SELF.fetch('https://headwater.example/healthz');
    expect(await response.json()).toMatchObject({
      status: 'ok',
      backbone: { name: runtime.plan.name, weights_sha256: runtime.plan.weightsSha256 },
    });
  });

  it('describes itself in OpenAPI 3.1', async () => {
    const response = await isolate.call('/openapi.json');
    const document = await response.json<{
      openapi: string;
      paths: Record<string, object>;
      components: { schemas: object };
    }>();
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual([
      '/healthz',
      '/v1/backup',
      '/v1/classify',
      '/v1/embed',
      '/v1/heads',
      '/v1/heads/{head}',
      '/v1/heads/{head}/classes/{label}',
      '/v1/heads/{head}/classify',
      '/v1/heads/{head}/classify-batch',
      '/v1/heads/{head}/examples',
      '/v1/heads/{head}/examples/{id}',
      '/v1/heads/{head}/examples/{id}/image',
      '/v1/heads/{head}/feedback',
      '/v1/heads/{head}/names/{name}',
      '/v1/heads/{head}/rebase',
      '/v1/heads/{head}/review',
      '/v1/heads/{head}/routing',
      '/v1/heads/{head}/settings',
      '/v1/heads/{head}/shadow',
      '/v1/heads/{head}/teach',
      '/v1/heads/{head}/train',
      '/v1/heads/{head}/versions/{version}',
      '/v1/heads/{head}/versions/{version}/activate',
      '/v1/heads/{head}/versions/{version}/report',
      '/v1/keys',
      '/v1/keys/{id}',
      '/v1/keys/{id}/rotate',
      '/v1/restore',
      '/v1/settings',
      '/v1/tenants',
      '/v1/tenants/{id}',
      '/v1/usage',
    ]);
    const schemas = Object.keys(document.components.schemas);
    const references = JSON.stringify(document).matchAll(/"\$ref":"([^"]*)"/g);
    for (const [, reference] of references) {
      expect(schemas.map((name) => `#/components/schemas/${name}`)).toContain(reference);
    }
  });

  it('lets browsers of any origin call with a key', async () => {
    const response = await isolate.call('/v1/heads', {
      method: 'OPTIONS',
      headers: {
        origin: 'https://shop.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-origin')).toBe('*');
    expect(response.headers.get('access-control-allow-headers')).toContain('authorization');
    expect(response.headers.has('access-control-allow-credentials')).toBe(false);
  });
});

describe('heads', () => {
  it('are uploaded, listed, described, downloaded, rolled back and deleted', async () => {
    const { id, key } = await isolate.newTenant();
    const [first, second] = [
      await makeHeadFile(['cat', 'dog'], 1),
      await makeHeadFile(['cat', 'dog', 'fox'], 2),
    ];

    const created = await isolate.put(key, 'pets', first);
    expect(created.status).toBe(201);
    expect(created.headers.get('location')).toBe('/v1/heads/pets/versions/1');
    expect(await created.json<HeadStored>()).toMatchObject({
      head: 'pets',
      version: 1,
      created: true,
      classes: 2,
    });
    expect(await (await isolate.put(key, 'pets', second)).json()).toMatchObject({
      version: 2,
      created: true,
    });

    const list = await isolate.call('/v1/heads', { key });
    expect(await list.json()).toMatchObject({
      heads: [{ head: 'pets', version: 2, classes: 3, versions: 2 }],
    });
    const detail = await (await isolate.call('/v1/heads/pets', { key })).json<HeadDetail>();
    expect(detail.version).toBe(2);
    expect(detail.classes.map(({ label, examples }) => [label, examples])).toEqual([
      ['cat', 3],
      ['dog', 3],
      ['fox', 3],
    ]);
    expect(detail.versions.map(({ version, current, classes }) => [version, current, classes])).toEqual([
      [2, true, 3],
      [1, false, 2],
    ]);

    const download = await isolate.call('/v1/heads/pets/versions/1', { key });
    expect(new Uint8Array(await download.arrayBuffer())).toEqual(first);

    const activated = await isolate.call('/v1/heads/pets/versions/1/activate', { key, method: 'POST' });
    expect(await activated.json()).toEqual({ head: 'pets', version: 1 });
    expect(await (await isolate.classify(key, 'pets')).json()).toMatchObject({ version: 1 });

    const deleted = await isolate.call('/v1/heads/pets', { key, method: 'DELETE' });
    expect(deleted.status).toBe(204);
    expect(await problemOf(await isolate.classify(key, 'pets'))).toEqual({
      status: 404,
      code: 'head_not_found',
    });
    expect(await (await isolate.call('/v1/heads', { key })).json()).toEqual({ heads: [] });
    expect((await testEnv.HEADS.list({ prefix: `heads/${id}/` })).objects).toEqual([]);
  });

  it('of the same content are the same version, which becomes current again', async () => {
    const { key } = await isolate.newTenant();
    const [first, second] = [await makeHeadFile(['a', 'b'], 1), await makeHeadFile(['a', 'b'], 2)];
    await isolate.put(key, 'twice', first);
    await isolate.put(key, 'twice', second);
    const repeated = await isolate.put(key, 'twice', first);
    expect(repeated.status).toBe(200);
    expect(await repeated.json()).toMatchObject({ version: 1, created: false });
    expect(await (await isolate.classify(key, 'twice')).json()).toMatchObject({ version: 1 });
    expect(await (await isolate.call('/v1/heads/twice', { key })).json()).toMatchObject({ version: 1 });
  });

  it('never use a version number twice, even after a deletion', async () => {
    const { key } = await isolate.newTenant();
    const file = await makeHeadFile();
    await isolate.put(key, 'again', file);
    await isolate.call('/v1/heads/again', { key, method: 'DELETE' });
    expect(await (await isolate.put(key, 'again', file)).json()).toMatchObject({ version: 2, created: true });
    expect(await (await isolate.classify(key, 'again')).json()).toMatchObject({ version: 2 });
    expect(await problemOf(await isolate.classify(key, 'again', '?version=1'))).toEqual({
      status: 404,
      code: 'version_not_found',
    });
  });
});

describe('classify', () => {
  it('answers what the head says about the code, from raw, multipart and JSON pictures alike', async () => {
    const { key } = await isolate.newTenant();
    const head = await makeHead(['cat', 'dog', 'fox']);
    await isolate.put(key, 'pets', await makeHeadFile(['cat', 'dog', 'fox']));
    const { features } = await extractFeatures(JPEG, new RequestWork(), [{ runtime }]);
    const expected = score(head, features.get(runtime)!.code);

    const form = new FormData();
    form.append('image', new File([JPEG], 'a "quoted" name.jpg', { type: 'image/jpeg' }));
    const bodies = [
      { type: 'image/jpeg', body: JPEG },
      { type: 'application/octet-stream', body: JPEG },
      { body: form },
      { json: { image: btoa(String.fromCharCode(...JPEG)) } },
      { json: { image: `data:image/jpeg;base64,${btoa(String.fromCharCode(...JPEG))}` } },
    ];
    for (const body of bodies) {
      const response = await isolate.call('/v1/heads/pets/classify', { key, ...body });
      expect(response.status).toBe(200);
      const found = await response.json<Classification>();
      expect(found).toMatchObject({
        head: 'pets',
        version: 1,
        image: { width: 96, height: 64, format: 'jpeg' },
      });
      expect(found.predictions).toHaveLength(3);
      for (const { label, score: value } of found.predictions) {
        expect(value).toBeCloseTo(expected.probabilities[head.labels.indexOf(label)], 6);
      }
      const scores = found.predictions.map((prediction) => prediction.score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
      expect(found.unknown.is_unknown).toBe(expected.unknown.isUnknown);
      expect(found.unknown.score).toBeCloseTo(expected.unknown.score, 6);
    }
  });

  it('answers the top k, of a named version, of several heads', async () => {
    const { key } = await isolate.newTenant();
    await isolate.put(key, 'one', await makeHeadFile(['a', 'b', 'c'], 1));
    await isolate.put(key, 'one', await makeHeadFile(['d', 'e', 'f'], 2));
    await isolate.put(key, 'two', await makeHeadFile(['g', 'h'], 3));
    const top = await (await isolate.classify(key, 'one', '?top_k=1&version=1')).json<Classification>();
    expect(top.version).toBe(1);
    expect(top.predictions.map(({ label }) => label)).toEqual([expect.stringMatching(/[abc]/)]);

    const many = await isolate.call('/v1/classify?heads=two,one@1,one&top_k=2', {
      key,
      type: 'image/png',
      body: picture('rgb16.png'),
    });
    expect(many.status).toBe(200);
    const { results, image } = await many.json<{ results: Classification[]; image: object }>();
    expect(results.map(({ head, version }) => [head, version])).toEqual([
      ['two', 1],
      ['one', 1],
      ['one', 2],
    ]);
    expect(results.every(({ predictions }) => predictions.length === 2)).toBe(true);
    expect(image).toEqual({ width: 96, height: 64, format: 'png' });
  });
});

describe('embed', () => {
  it('answers the codes of one or several pictures, as numbers or in half precision', async () => {
    const { key } = await isolate.newTenant();
    const pictures = [JPEG, picture('rgb16.png'), picture('lossy.webp')];
    const codes: number[] = [];
    for (const bytes of pictures)
      codes.push(
        ...(await extractFeatures(bytes, new RequestWork(), [{ runtime }])).features.get(runtime)!.code,
      );
    const form = new FormData();
    for (const bytes of pictures) form.append('image', new File([bytes], 'x'));
    const several = await isolate.call('/v1/embed?encoding=base64', { key, body: form });
    const answer = await several.json<{
      code_length: number;
      embeddings: { code: string; image: { format: string } }[];
    }>();
    expect(answer.code_length).toBe(runtime.engine.codeLength);
    expect(answer.embeddings.map(({ image }) => image.format)).toEqual(['jpeg', 'png', 'webp']);
    const halves = answer.embeddings.flatMap(({ code }) => [
      ...new Float16Array(Uint8Array.from(atob(code), (c) => c.charCodeAt(0)).buffer),
    ]);
    expect(halves).toEqual([...Float16Array.from(codes)]);

    const single = await isolate.call('/v1/embed', { key, type: 'image/jpeg', body: JPEG });
    const [{ code }] = (await single.json<{ embeddings: { code: number[] }[] }>()).embeddings;
    expect(code).toHaveLength(answer.code_length);
    code.forEach((value, i) => expect(value).toBeCloseTo(codes[i], 5));
  });
});

describe('keys', () => {
  it('do what their scopes say, and are listed without their secret', async () => {
    const { key: admin } = await isolate.newTenant();
    const reader = await isolate.newKey(admin, ['read']);
    await isolate.put(admin, 'pets', await makeHeadFile());
    expect((await isolate.classify(reader.key, 'pets')).status).toBe(200);
    const forbidden = { status: 403, code: 'forbidden' };
    expect(await problemOf(await isolate.put(reader.key, 'pets', await makeHeadFile()))).toEqual(forbidden);
    expect(await problemOf(await isolate.call('/v1/keys', { key: reader.key }))).toEqual(forbidden);
    const text = await (await isolate.call('/v1/keys', { key: admin })).text();
    expect(text).toContain(reader.id);
    expect(text).not.toContain('hw_');
    expect(text).not.toMatch(/[0-9a-f]{64}/);
  });

  it('are revoked at once here', async () => {
    const { key: admin } = await isolate.newTenant();
    const { id, key } = await isolate.newKey(admin, ['read']);
    expect((await isolate.call('/v1/heads', { key })).status).toBe(200);
    expect((await isolate.call(`/v1/keys/${id}`, { key: admin, method: 'DELETE' })).status).toBe(204);
    const revoked = { status: 401, code: 'key_revoked' };
    expect(await problemOf(await isolate.call('/v1/heads', { key }))).toEqual(revoked);
    expect(await problemOf(await new Isolate().call('/v1/heads', { key }))).toEqual(revoked);
    expect((await isolate.call(`/v1/keys/${id}`, { key: admin, method: 'DELETE' })).status).toBe(204);
  });

  it('include one that can make others', async () => {
    const { key: admin } = await isolate.newTenant();
    const { keys } = await (
      await isolate.call('/v1/keys', { key: admin })
    ).json<{ keys: { id: string }[] }>();
    const revoke = () => isolate.call(`/v1/keys/${keys[0].id}`, { key: admin, method: 'DELETE' });
    expect(await problemOf(await revoke())).toEqual({ status: 409, code: 'conflict' });
    await isolate.newKey(admin, ['admin']);
    expect((await revoke()).status).toBe(204);
  });
});
