/** /v1/heads/{head}/versions/{version}: download a head file, make a version current. */
import { Activate, VersionActivated } from '../../../src/api/index.ts';
import type { App, Env } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readOptionalJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { fileOf, type PointerStore } from '../../stores/pointers.ts';
import { headDamaged, openHeadFile } from '../../stores/head-files.ts';
import { answers, headFileBody, jsonBody, VersionPath, operations } from '../../http/openapi.ts';
import { change } from '../head-calls.ts';

export function addVersionRoutes(app: App, { keys, pointers }: Services): void {
  const { get, post, remove } = operations(app);
  const canWrite = requireScope(keys, 'write', 'manage');

  get('/v1/heads/{head}/versions/{version}', {
    summary: "Download a version's head file",
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: VersionPath },
    responses: { 200: { description: 'The file, safetensors.', content: headFileBody.content } },
  })(async (c) => {
    const { head, version } = c.req.valid('param');
    const object = await openFile(c.env, pointers, c.var.principal.tenant, head, version);
    return c.body(object.body, 200, {
      'content-type': 'application/octet-stream',
      'content-length': String(object.size),
      'content-disposition': `attachment; filename="${head}-${version}.safetensors"`,
      // A version never changes, but only the owner of this key may read it.
      'cache-control': 'private, max-age=60',
      etag: object.httpEtag,
    });
  });

  remove('/v1/heads/{head}/versions/{version}', {
    summary: 'Delete a version that is not current',
    middleware: canWrite,
    request: { params: VersionPath },
    responses: { 204: { description: 'Deleted. Takes effect everywhere within 60 s.' } },
  })(async (c) => {
    const { head, version } = c.req.valid('param');
    await change(c, pointers, head, (stub) => stub.heads.removeVersion(head, version));
    return c.body(null, 204);
  });

  post('/v1/heads/{head}/versions/{version}/activate', {
    summary: 'Make a version current, for example to roll back; or let it answer a share of requests',
    middleware: canWrite,
    request: { params: VersionPath, body: { ...jsonBody('Activate'), required: false } },
    responses: answers(200, VersionActivated, 'Current. Takes effect everywhere within 60 s.'),
  })(async (c) => {
    const { head, version } = c.req.valid('param');
    const { percent } = await readOptionalJson(c.req.raw, Activate);
    await change(c, pointers, head, (stub) => stub.heads.activate(head, version, percent));
    return c.json({ head, version }, 200);
  });
}

/** @throws ApiError head_not_found, version_not_found */
async function openFile(
  env: Env,
  pointers: PointerStore,
  tenant: string,
  head: string,
  version: number,
): Promise<R2ObjectBody> {
  const object = await openHeadFile(env.HEADS, await pointers.resolve(env, tenant, head, version));
  if (object !== null) return object;
  // Deleted elsewhere a moment ago: the Durable Object tells what is missing, the version, the head, or the file alone.
  throw headDamaged(fileOf(tenant, head, await pointers.confirm(env, tenant, head), version), 'missing');
}
