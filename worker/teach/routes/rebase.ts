/** /v1/heads/{head}/rebase: moves a head to the default code space, a page of its kept pictures at a time. */
import { Rebase } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { workOf } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { spaceAt } from '../code-space.ts';
import { codesOfPage } from '../rebase-page.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { answers, HeadPath, operations } from '../../http/openapi.ts';

export function addRebaseRoutes(app: App, services: Services): void {
  const { get, post, remove } = operations(app);
  const { keys, pointers, runtime } = services;
  const canWrite = requireScope(keys, 'write', 'manage');

  get('/v1/heads/{head}/rebase', {
    summary: "Progress of a head's move to the default code space",
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: HeadPath },
    responses: answers(200, Rebase, 'The progress, and the obstacle if there is one.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { origin } = spaceAt(runtime);
    return c.json(await callOwnTenant(c, (stub) => stub.rebase.look(head, origin)), 200);
  });

  post('/v1/heads/{head}/rebase', {
    summary:
      'Move a head to the default code space: reads the next 32 kept images, or trains and switches when all are read. Repeat it until the state is done',
    middleware: canWrite,
    request: { params: HeadPath },
    responses: answers(200, Rebase, 'The progress.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { tenant } = c.var.principal;
    const space = spaceAt(runtime);
    const { origin } = space;
    const { progress, pictures } = await callOwnTenant(c, (stub) => stub.rebase.page(head, origin));
    if (pictures.length > 0) {
      const reader = { ...services, env: c.env, space, work: workOf(c) };
      const made = await codesOfPage(reader, pictures);
      const stored = await callOwnTenant(c, (stub) => stub.rebase.store(head, origin, made));
      return c.json(stored, 200);
    }
    if (progress.state === 'done') return c.json(progress, 200);
    const moved = await callOwnTenant(c, (stub) => stub.rebase.finish(head, origin));
    if (moved.pointer !== null) pointers.remember(tenant, head, moved.pointer);
    return c.json(moved.progress, 200);
  });

  remove('/v1/heads/{head}/rebase', {
    summary: 'Cancel the move: the head stays as it is',
    middleware: canWrite,
    request: { params: HeadPath },
    responses: answers(200, Rebase, 'The present state.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { origin } = spaceAt(runtime);
    return c.json(await callOwnTenant(c, (stub) => stub.rebase.giveUp(head, origin)), 200);
  });
}
