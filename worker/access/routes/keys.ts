/** /v1/keys: make, list and revoke the tenant's API keys. */
import { z } from '@hono/zod-openapi';
import { CreateKey, KeyCreated, KeyList } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { newKey } from '../key-check.ts';
import { answers, jsonBody, operations } from '../../http/openapi.ts';

const NO_STORE = { 'cache-control': 'no-store' };

export function addKeyRoutes(app: App, { keys }: Services): void {
  const { get, post, remove } = operations(app);
  const middleware = requireScope(keys, 'admin', 'manage');

  post('/v1/keys', {
    summary: 'Create a key',
    middleware,
    request: { body: jsonBody('CreateKey') },
    responses: answers(201, KeyCreated, 'The key. It is shown only once.'),
  })(async (c) => {
    const { name, scopes } = await readJson(c.req.raw, CreateKey);
    const { key, kept } = await newKey(c.env, c.var.principal.tenant);
    const summary = await callOwnTenant(c, (stub) => stub.keys.create({ ...kept, name, scopes }));
    return c.json({ ...summary, key }, 201, NO_STORE);
  });

  post('/v1/keys/{id}/rotate', {
    summary: 'Replace a key by a new one with the same name and scopes',
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: answers(
      201,
      KeyCreated,
      'The new key, shown this once; the old one stops here at once, everywhere within 60 s.',
    ),
  })(async (c) => {
    const { id } = c.req.valid('param');
    const { key, kept } = await newKey(c.env, c.var.principal.tenant);
    const { summary, hash } = await callOwnTenant(c, (stub) => stub.keys.rotate(id, kept));
    keys.revoked(hash);
    return c.json({ ...summary, key }, 201, NO_STORE);
  });

  get('/v1/keys', {
    summary: 'List keys',
    middleware,
    responses: answers(200, KeyList, 'All active keys, and the last revoked ones.'),
  })(async (c) => {
    const found = await callOwnTenant(c, (stub) => stub.keys.list());
    return c.json({ keys: found }, 200, NO_STORE);
  });

  remove('/v1/keys/{id}', {
    summary: 'Revoke a key',
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 204: { description: 'Revoked. Takes effect everywhere within 60 s.' } },
  })(async (c) => {
    const { id } = c.req.valid('param');
    const { hash } = await callOwnTenant(c, (stub) => stub.keys.revoke(id));
    keys.revoked(hash);
    return c.body(null, 204);
  });
}
