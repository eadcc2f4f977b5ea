/** /v1/heads and /v1/heads/{head}: upload, list, describe, remove. */
import { HeadDetail, HeadList, HeadsQuery, HeadStored } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { mediaType, withBody } from '../../http/body.ts';
import { MAX_HEAD_BYTES } from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { workOf } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { fileOf } from '../../stores/pointers.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { storeHead } from '../upload.ts';
import { answers, headFileBody, HeadPath, operations } from '../../http/openapi.ts';
import { change, lookUp } from '../head-calls.ts';

const FILE_TYPES = new Set([
  '',
  'application/octet-stream',
  'application/safetensors',
  'application/x-safetensors',
]);

/** The file, whose tensors are views of it, and what is computed from them: directions in single precision, labels and metrics. */
const HEAD_FILE = { maxBytes: MAX_HEAD_BYTES, factor: 1.4, what: 'The head file' };

export function addHeadRoutes(app: App, { keys, heads, pointers }: Services): void {
  const { get, put, remove } = operations(app);
  const canRead = requireScope(keys, 'read', 'manage');
  const canWrite = requireScope(keys, 'write', 'manage');

  put('/v1/heads/{head}', {
    summary: 'Upload a head file as a new version, which becomes current',
    middleware: canWrite,
    request: { params: HeadPath, body: headFileBody },
    responses: {
      ...answers(201, HeadStored, 'A new version.'),
      ...answers(200, HeadStored, 'A version with this content existed already. It is current now.'),
    },
  })(async (c) => {
    const { tenant } = c.var.principal;
    const name = c.req.valid('param').head;
    const request = c.req.raw;
    if (!FILE_TYPES.has(mediaType(request))) {
      throw new ApiError('unsupported_media_type', 'Send the head file as application/octet-stream.');
    }
    return withBody(request, workOf(c).memory, HEAD_FILE, async (bytes) => {
      if (bytes.byteLength === 0)
        throw new ApiError('body_empty', 'The body is empty; it should be a head file.');
      const head = await heads.parse(bytes);
      const { version, created, sha256, pointer } = await storeHead(c.env, tenant, name, bytes, head);
      pointers.remember(tenant, name, pointer);
      heads.keep(fileOf(tenant, name, pointer, version), head, bytes.byteLength);
      const answer = { head: name, version, created, sha256, classes: head.labels.length };
      return created
        ? c.json(answer, 201, { location: `/v1/heads/${name}/versions/${version}` })
        : c.json(answer, 200);
    });
  });

  get('/v1/heads', {
    summary: 'List heads',
    middleware: canRead,
    request: { query: HeadsQuery },
    responses: answers(200, HeadList, 'A page of heads, by name.'),
  })(async (c) => {
    const { after = '', limit } = c.req.valid('query');
    const page = await callOwnTenant(c, (stub) => stub.heads.list(after, limit));
    return c.json(page, 200);
  });

  get('/v1/heads/{head}', {
    summary: 'Describe a head',
    middleware: canRead,
    request: { params: HeadPath },
    responses: answers(200, HeadDetail, 'Its classes, versions and metrics.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    return c.json(await lookUp(c, head, (stub) => stub.heads.describe(head)), 200);
  });

  remove('/v1/heads/{head}', {
    summary: 'Delete a head with all its versions',
    middleware: canWrite,
    request: { params: HeadPath },
    responses: { 204: { description: 'Deleted. Takes effect everywhere within 60 s.' } },
  })(async (c) => {
    const { head } = c.req.valid('param');
    await change(c, pointers, head, (stub) => stub.heads.delete(head));
    return c.body(null, 204);
  });
}
