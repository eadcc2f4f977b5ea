/** GET /v1/backup and POST /v1/restore: a tenant's heads, versions and examples as one file, and back. */
import { Restored } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { backup } from '../export.ts';
import { mediaType, type Bodied } from '../../http/body.ts';
import { ApiError } from '../../http/problem.ts';
import { restore } from '../restore.ts';
import { workOf } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { answers, operations } from '../../http/openapi.ts';

const NDJSON = 'application/x-ndjson';
const lines: Record<string, { schema: { $ref: string } }> = {
  [NDJSON]: { schema: { $ref: '#/components/schemas/BackupRow' } },
};

export function addBackupRoutes(app: App, services: Services): void {
  const { get, post } = operations(app);
  const middleware = requireScope(services.keys, 'admin', 'manage');

  get('/v1/backup', {
    summary: 'Back up all examples and versions of the tenant, as JSON lines',
    middleware,
    responses: {
      200: { description: 'One row per line. The last line says that the file is complete.', content: lines },
    },
  })(async (c) => {
    const text = await backup(c.env, c.var.principal.tenant);
    const encoder = new TextEncoder();
    const stream = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const next = await text.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      async cancel() {
        await text.return();
      },
    });
    const headers = { 'content-type': NDJSON, 'cache-control': 'no-store' };
    return c.body(stream, 200, headers);
  });

  post('/v1/restore', {
    summary: 'Restore a backup into a tenant that never had a head',
    middleware,
    request: { body: { required: true, content: lines } },
    responses: answers(200, Restored, 'Numbers of restored rows.'),
  })(async (c) => {
    const request: Bodied = c.req.raw;
    if (mediaType(request) !== NDJSON)
      throw new ApiError('unsupported_media_type', `Send the backup as ${NDJSON}.`);
    if (request.body === null) throw new ApiError('body_empty', 'The body is empty; it should be a backup.');
    return c.json(
      await restore(c.env, c.var.principal.tenant, services, workOf(c).memory, request.body),
      200,
    );
  });
}
