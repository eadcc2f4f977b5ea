/** /v1/settings and /v1/heads/{head}/settings: what was chosen for the whole tenant, and for a head. */
import { createRoute } from '@hono/zod-openapi';
import { HeadSettings, TenantSettings } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { callTenant } from '../../tenant/call.ts';
import { answers, HeadPath, jsonBody } from '../../http/openapi.ts';
import { lookUp } from '../head-calls.ts';

export function addSettingsRoutes(app: App, services: Services): void {
  const { keys } = services;
  const look = createRoute({
    method: 'get',
    path: '/v1/settings',
    summary: "The tenant's settings",
    middleware: requireScope(keys, 'read', 'manage'),
    responses: answers(200, TenantSettings, 'Its settings.'),
  });
  app.openapi(look, async (c) =>
    c.json(await callTenant(c.env, c.var.principal.tenant, (stub) => stub.tenant.settings()), 200),
  );

  const change = createRoute({
    method: 'put',
    path: '/v1/settings',
    summary: "Change the tenant's settings: whether images of examples are kept",
    middleware: requireScope(keys, 'admin', 'manage'),
    request: { body: jsonBody('TenantSettings') },
    responses: answers(200, TenantSettings, 'The new settings.'),
  });
  app.openapi(change, async (c) => {
    const wanted = await readJson(c.req.raw, TenantSettings);
    return c.json(
      await callTenant(c.env, c.var.principal.tenant, (stub) => stub.tenant.configure(wanted)),
      200,
    );
  });

  addHeadSettings(app, services);
}

function addHeadSettings(app: App, { keys, pointers }: Services): void {
  const look = createRoute({
    method: 'get',
    path: '/v1/heads/{head}/settings',
    summary: "A head's settings",
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: HeadPath },
    responses: answers(200, HeadSettings, 'Its settings.'),
  });
  app.openapi(look, async (c) => {
    const { head } = c.req.valid('param');
    return c.json(await lookUp(c, head, (stub) => stub.heads.settings(head)), 200);
  });

  const change = createRoute({
    method: 'put',
    path: '/v1/heads/{head}/settings',
    summary: "Change a head's settings: the guard, capture for review",
    middleware: requireScope(keys, 'write', 'manage'),
    request: { params: HeadPath, body: jsonBody('HeadSettings') },
    responses: answers(200, HeadSettings, 'The new settings.'),
  });
  app.openapi(change, async (c) => {
    const { tenant } = c.var.principal;
    const { head } = c.req.valid('param');
    const wanted = await readJson(c.req.raw, HeadSettings);
    const settings = await callTenant(c.env, tenant, (stub) => stub.heads.configure(head, wanted));
    await pointers.confirm(c.env, tenant, head);
    return c.json(settings, 200);
  });
}
