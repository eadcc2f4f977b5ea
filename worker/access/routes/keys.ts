/** /v1/keys: make, list and revoke the tenant's API keys. */
import { createRoute, z } from '@hono/zod-openapi';
import { CreateKey, KeyCreated, KeyList } from '../../../src/api/index.ts';
import { newApiKey, newKeyId, sha256Hex } from '../api-key.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { callTenant } from '../../tenant/call.ts';
import { withCheck } from '../key-check.ts';
import { answers, jsonBody } from '../../http/openapi.ts';

const NO_STORE = { 'cache-control': 'no-store' };

export function addKeyRoutes(app: App, { keys }: Services): void {
  const middleware = requireScope(keys, 'admin', 'manage');

  const create = createRoute({
    method: 'post',
    path: '/v1/keys',
    summary: 'Create a key',
    middleware,
    request: { body: jsonBody('CreateKey') },
    responses: answers(201, KeyCreated, 'The key. It is shown only once.'),
  });
  app.openapi(create, async (c) => {
    const { tenant } = c.var.principal;
    const { name, scopes } = await readJson(c.req.raw, CreateKey);
    const key = await withCheck(c.env, newApiKey(tenant));
    const row = { id: newKeyId(), hash: await sha256Hex(key), name, scopes };
    const summary = await callTenant(c.env, tenant, (stub) => stub.keys.create(row));
    return c.json({ ...summary, key }, 201, NO_STORE);
  });

  const rotate = createRoute({
    method: 'post',
    path: '/v1/keys/{id}/rotate',
    summary: 'Replace a key by a new one with the same name and scopes',
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: answers(
      201,
      KeyCreated,
      'The new key, shown this once; the old one stops here at once, everywhere within 60 s.',
    ),
  });
  app.openapi(rotate, async (c) => {
    const { tenant } = c.var.principal;
    const { id } = c.req.valid('param');
    const key = await withCheck(c.env, newApiKey(tenant));
    const row = { id: newKeyId(), hash: await sha256Hex(key) };
    const { summary, hash } = await callTenant(c.env, tenant, (stub) => stub.keys.rotate(id, row));
    keys.revoked(hash);
    return c.json({ ...summary, key }, 201, NO_STORE);
  });

  const list = createRoute({
    method: 'get',
    path: '/v1/keys',
    summary: 'List keys',
    middleware,
    responses: answers(200, KeyList, 'All active keys, and the last revoked ones.'),
  });
  app.openapi(list, async (c) => {
    const found = await callTenant(c.env, c.var.principal.tenant, (stub) => stub.keys.list());
    return c.json({ keys: found }, 200, NO_STORE);
  });

  const revoke = createRoute({
    method: 'delete',
    path: '/v1/keys/{id}',
    summary: 'Revoke a key',
    middleware,
    request: { params: z.object({ id: z.string().max(64) }) },
    responses: { 204: { description: 'Revoked. Takes effect everywhere within 60 s.' } },
  });
  app.openapi(revoke, async (c) => {
    const { id } = c.req.valid('param');
    const { hash } = await callTenant(c.env, c.var.principal.tenant, (stub) => stub.keys.revoke(id));
    keys.revoked(hash);
    return c.body(null, 204);
  });
}
