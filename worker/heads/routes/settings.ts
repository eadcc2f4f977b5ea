/** /v1/settings and /v1/heads/{head}/settings: what was chosen for the whole tenant, and for a head. */
import { HeadSettings, TenantSettings } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { answers, HeadPath, jsonBody, operations } from '../../http/openapi.ts';
import { lookUp } from '../head-calls.ts';

export function addSettingsRoutes(app: App, { keys, pointers }: Services): void {
  const { get, put } = operations(app);
  get('/v1/settings', {
    summary: "The tenant's settings",
    middleware: requireScope(keys, 'read', 'manage'),
    responses: answers(200, TenantSettings, 'Its settings.'),
  })(async (c) => c.json(await callOwnTenant(c, (stub) => stub.tenant.settings()), 200));

  put('/v1/settings', {
    summary: "Change the tenant's settings: whether images of examples are kept",
    middleware: requireScope(keys, 'admin', 'manage'),
    request: { body: jsonBody('TenantSettings') },
    responses: answers(200, TenantSettings, 'The new settings.'),
  })(async (c) => {
    const wanted = await readJson(c.req.raw, TenantSettings);
    return c.json(await callOwnTenant(c, (stub) => stub.tenant.configure(wanted)), 200);
  });

  get('/v1/heads/{head}/settings', {
    summary: "A head's settings",
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: HeadPath },
    responses: answers(200, HeadSettings, 'Its settings.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    return c.json(await lookUp(c, head, (stub) => stub.heads.settings(head)), 200);
  });

  put('/v1/heads/{head}/settings', {
    summary: "Change a head's settings: the guard, capture for review",
    middleware: requireScope(keys, 'write', 'manage'),
    request: { params: HeadPath, body: jsonBody('HeadSettings') },
    responses: answers(200, HeadSettings, 'The new settings.'),
  })(async (c) => {
    const { tenant } = c.var.principal;
    const { head } = c.req.valid('param');
    const wanted = await readJson(c.req.raw, HeadSettings);
    const settings = await callOwnTenant(c, (stub) => stub.heads.configure(head, wanted));
    await pointers.confirm(c.env, tenant, head);
    return c.json(settings, 200);
  });
}
