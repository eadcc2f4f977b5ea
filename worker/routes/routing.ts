/** Which version answers: names, the version in the shadow, and what a head's owner has chosen for it. */
import { createRoute } from '@hono/zod-openapi';
import { HeadSettings, NameVersion, Routing } from '../../src/api/index.ts';
import type { App } from '../app.ts';
import { requireScope } from '../auth.ts';
import { readJson } from '../body.ts';
import type { Env } from '../env.ts';
import type { Services } from '../services.ts';
import type { Pointer } from '../stores/layout.ts';
import { headNotFound } from '../stores/pointers.ts';
import { callTenant } from '../tenant/call.ts';
import { answers, HeadPath, jsonBody, VersionNamePath } from './describe.ts';

export function addRoutingRoutes(app: App, services: Services): void {
  const canRead = requireScope(services.keys, 'read');
  const canWrite = requireScope(services.keys, 'write');
  const description = 'How the head is routed now: here at once, everywhere within 60 s.';

  const routing = async (env: Env, tenant: string, head: string, pointer?: Pointer): Promise<Routing> => {
    if (pointer !== undefined) services.pointers.remember(tenant, head, pointer);
    const found = await callTenant(env, tenant, (stub) => stub.routing(head));
    if (found === null) throw headNotFound(head);
    return found;
  };

  const look = createRoute({
    method: 'get',
    path: '/v1/heads/{head}/routing',
    summary: 'Tell which versions answer: current, canary, shadow, names',
    middleware: canRead,
    request: { params: HeadPath },
    responses: answers(200, Routing, 'How the head is routed.'),
  });
  app.openapi(look, async (c) =>
    c.json(await routing(c.env, c.var.principal.tenant, c.req.valid('param').head), 200),
  );

  const name = createRoute({
    method: 'put',
    path: '/v1/heads/{head}/names/{name}',
    summary: 'Give a version a name, by which requests can ask for it',
    middleware: canWrite,
    request: { params: VersionNamePath, body: jsonBody('NameVersion') },
    responses: answers(200, Routing, description),
  });
  app.openapi(name, async (c) => {
    const { tenant } = c.var.principal;
    const { head, name: wanted } = c.req.valid('param');
    const { version } = await readJson(c.req.raw, NameVersion);
    const pointer = await callTenant(c.env, tenant, (stub) => stub.nameVersion(head, wanted, version));
    return c.json(await routing(c.env, tenant, head, pointer), 200);
  });

  const unname = createRoute({
    method: 'delete',
    path: '/v1/heads/{head}/names/{name}',
    summary: 'Take a name from a version',
    middleware: canWrite,
    request: { params: VersionNamePath },
    responses: answers(200, Routing, description),
  });
  app.openapi(unname, async (c) => {
    const { tenant } = c.var.principal;
    const { head, name: wanted } = c.req.valid('param');
    const pointer = await callTenant(c.env, tenant, (stub) => stub.unnameVersion(head, wanted));
    return c.json(await routing(c.env, tenant, head, pointer), 200);
  });

  const shadow = createRoute({
    method: 'put',
    path: '/v1/heads/{head}/shadow',
    summary: 'Let a version answer silently beside the current one, and count where they disagree',
    middleware: canWrite,
    request: { params: HeadPath, body: jsonBody('NameVersion') },
    responses: answers(200, Routing, description),
  });
  app.openapi(shadow, async (c) => {
    const { tenant } = c.var.principal;
    const { head } = c.req.valid('param');
    const { version } = await readJson(c.req.raw, NameVersion);
    const pointer = await callTenant(c.env, tenant, (stub) => stub.shadowVersion(head, version));
    return c.json(await routing(c.env, tenant, head, pointer), 200);
  });

  const unshadow = createRoute({
    method: 'delete',
    path: '/v1/heads/{head}/shadow',
    summary: 'End the silent comparison',
    middleware: canWrite,
    request: { params: HeadPath },
    responses: answers(200, Routing, description),
  });
  app.openapi(unshadow, async (c) => {
    const { tenant } = c.var.principal;
    const { head } = c.req.valid('param');
    const pointer = await callTenant(c.env, tenant, (stub) => stub.shadowVersion(head, null));
    return c.json(await routing(c.env, tenant, head, pointer), 200);
  });

  addSettings(app, services);
}

function addSettings(app: App, { keys, pointers }: Services): void {
  const look = createRoute({
    method: 'get',
    path: '/v1/heads/{head}/settings',
    summary: 'What was chosen for a head',
    middleware: requireScope(keys, 'read'),
    request: { params: HeadPath },
    responses: answers(200, HeadSettings, 'Its settings.'),
  });
  app.openapi(look, async (c) => {
    const { head } = c.req.valid('param');
    const settings = await callTenant(c.env, c.var.principal.tenant, (stub) => stub.headSettings(head));
    if (settings === null) throw headNotFound(head);
    return c.json(settings, 200);
  });

  const change = createRoute({
    method: 'put',
    path: '/v1/heads/{head}/settings',
    summary: "Choose a head's settings: the guard, capture for review",
    middleware: requireScope(keys, 'write'),
    request: { params: HeadPath, body: jsonBody('HeadSettings') },
    responses: answers(200, HeadSettings, 'Its settings from now on.'),
  });
  app.openapi(change, async (c) => {
    const { tenant } = c.var.principal;
    const { head } = c.req.valid('param');
    const wanted = await readJson(c.req.raw, HeadSettings);
    const settings = await callTenant(c.env, tenant, (stub) => stub.configureHead(head, wanted));
    await pointers.confirm(c.env, tenant, head);
    return c.json(settings, 200);
  });
}
