/** POST /v1/tenants: whoever knows the admin secret makes a tenant, and gets its first key. */
import { z } from '@hono/zod-openapi';
import { CreateTenant, Scope, TenantCreated } from '../../../src/api/index.ts';
import { newTenantId } from '../api-key.ts';
import type { App } from '../../env.ts';
import { requireAdminSecret } from '../auth.ts';
import { readJson } from '../../http/body.ts';
import { newKey } from '../key-check.ts';
import type { Services } from '../../isolate/services.ts';
import { callTenant } from '../../tenant/call.ts';
import { answers, jsonBody, operations } from '../../http/openapi.ts';

export function addTenantRoutes(app: App, { keys }: Services): void {
  const { post, remove } = operations(app);
  post('/v1/tenants', {
    summary: 'Create a tenant',
    middleware: requireAdminSecret,
    request: { body: jsonBody('CreateTenant') },
    responses: answers(201, TenantCreated, 'The tenant and its first key, which is shown only once.'),
  })(async (c) => {
    const { name } = await readJson(c.req.raw, CreateTenant);
    const id = newTenantId();
    const { key, kept } = await newKey(c.env, id);
    const first = { ...kept, name: 'first key', scopes: Scope.options };
    await callTenant(c.env, id, (stub) => stub.tenant.create(id, name, first));
    return c.json({ id, name, key }, 201, { 'cache-control': 'no-store' });
  });

  remove('/v1/tenants/{id}', {
    summary: 'Delete a tenant with its keys, heads and examples',
    middleware: requireAdminSecret,
    request: { params: z.object({ id: z.string().regex(/^[a-z2-7]{16}$/, 'must be the id of a tenant') }) },
    responses: { 204: { description: 'Deleted. Its keys stop working everywhere within 60 s.' } },
  })(async (c) => {
    const { id } = c.req.valid('param');
    await callTenant(c.env, id, (stub) => stub.tenant.destroy());
    keys.deleted(id);
    return c.body(null, 204);
  });
}
