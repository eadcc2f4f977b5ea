/** Which version answers: names, and the version in the shadow. */
import type { Context } from 'hono';
import { NameVersion, Routing } from '../../../src/api/index.ts';
import type { App, AppEnv } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { answers, HeadPath, jsonBody, VersionNamePath, operations } from '../../http/openapi.ts';
import { change, lookUp, type Change } from '../head-calls.ts';

export function addRoutingRoutes(app: App, { keys, pointers }: Services): void {
  const { get, put, remove } = operations(app);
  const canWrite = requireScope(keys, 'write', 'manage');
  const responses = answers(
    200,
    Routing,
    'How the head is routed now: here at once, everywhere within 60 s.',
  );
  const body = jsonBody('NameVersion');

  const changed = async (c: Context<AppEnv>, head: string, call: Change) => {
    await change(c, pointers, head, call);
    return routing(c, head);
  };

  get('/v1/heads/{head}/routing', {
    summary: 'Versions that answer: current, canary, shadow, names',
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: HeadPath },
    responses: answers(200, Routing, 'How the head is routed.'),
  })(async (c) => c.json(await routing(c, c.req.valid('param').head), 200));

  put('/v1/heads/{head}/names/{name}', {
    summary: 'Give a version a name that requests can use',
    middleware: canWrite,
    request: { params: VersionNamePath, body },
    responses,
  })(async (c) => {
    const { head, name: wanted } = c.req.valid('param');
    const { version } = await readJson(c.req.raw, NameVersion);
    return c.json(await changed(c, head, (stub) => stub.heads.nameVersion(head, wanted, version)), 200);
  });

  remove('/v1/heads/{head}/names/{name}', {
    summary: 'Remove the name of a version',
    middleware: canWrite,
    request: { params: VersionNamePath },
    responses,
  })(async (c) => {
    const { head, name: wanted } = c.req.valid('param');
    return c.json(await changed(c, head, (stub) => stub.heads.unnameVersion(head, wanted)), 200);
  });

  put('/v1/heads/{head}/shadow', {
    summary: 'Run a version in the shadow of the current one, and count where they disagree',
    middleware: canWrite,
    request: { params: HeadPath, body },
    responses,
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { version } = await readJson(c.req.raw, NameVersion);
    return c.json(await changed(c, head, (stub) => stub.heads.shadow(head, version)), 200);
  });

  remove('/v1/heads/{head}/shadow', {
    summary: 'End the shadow',
    middleware: canWrite,
    request: { params: HeadPath },
    responses,
  })(async (c) => {
    const { head } = c.req.valid('param');
    return c.json(await changed(c, head, (stub) => stub.heads.shadow(head, null)), 200);
  });
}

function routing(c: Context<AppEnv>, head: string): Promise<Routing> {
  return lookUp(c, head, (stub) => stub.heads.routing(head));
}
