/** /v1/heads/{head}/examples and /classes/{label}: look at what a head was taught, and make it forget. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { ExampleList, ExamplesQuery, MAX_LABEL_LENGTH, Taught } from '../../../src/api/index.ts';
import type { App, AppEnv } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { ApiError } from '../../http/problem.ts';
import type { Services } from '../../isolate/services.ts';
import { fromR2 } from '../../stores/reads.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import type { Forgetting } from '../../tenant/teach/examples.ts';
import { answers, BINARY, HeadPath, operations } from '../../http/openapi.ts';
import { lookUp, retrain } from '../../heads/head-calls.ts';

const ExamplePath = HeadPath.extend({ id: z.string().max(64) });
const ClassPath = HeadPath.extend({ label: z.string().max(MAX_LABEL_LENGTH) });

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp'];

export function addExampleRoutes(app: App, services: Services): void {
  const { get, remove } = operations(app);
  const canWrite = requireScope(services.keys, 'write', 'manage');

  get('/v1/heads/{head}/examples', {
    summary: 'List the examples of a head',
    middleware: requireScope(services.keys, 'read', 'manage'),
    request: { params: HeadPath, query: ExamplesQuery },
    responses: answers(200, ExampleList, 'A page of examples, by id.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { label, after, limit } = c.req.valid('query');
    return c.json(await lookUp(c, head, (stub) => stub.examples.list(head, label, after, limit)), 200);
  });

  get('/v1/heads/{head}/examples/{id}/image', {
    summary: "An example's image file, where the tenant keeps images",
    middleware: requireScope(services.keys, 'read', 'manage'),
    request: { params: ExamplePath },
    responses: {
      200: {
        description: 'The image file.',
        content: Object.fromEntries(IMAGE_TYPES.map((type) => [type, { schema: BINARY }])),
      },
    },
  })(async (c) => {
    const { head, id } = c.req.valid('param');
    const name = await callOwnTenant(c, (stub) => stub.examples.picture(head, id));
    const object = name === null ? null : await fromR2(() => c.env.HEADS.get(name));
    if (object === null) {
      throw new ApiError(
        'image_not_found',
        `No picture of an example '${id}' of '${head}' is kept. Pictures are kept from when keep_images is switched on: PUT /v1/settings.`,
      );
    }
    return c.body(object.body, 200, {
      'content-type': object.httpMetadata?.contentType ?? 'application/octet-stream',
      'content-length': `${object.size}`,
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    });
  });

  const forget = async (c: Context<AppEnv>, head: string, which: Forgetting): Promise<Taught> => {
    const { answer } = await retrain(c, services.pointers, head, (stub) => stub.teaching.forget(head, which));
    return answer;
  };

  remove('/v1/heads/{head}/examples/{id}', {
    summary: 'Delete an example and retrain the head without it',
    middleware: canWrite,
    request: { params: ExamplePath },
    responses: answers(200, Taught, 'The new version, trained without it.'),
  })(async (c) => {
    const { head, id } = c.req.valid('param');
    return c.json(await forget(c, head, { ids: [id] }), 200);
  });

  remove('/v1/heads/{head}/classes/{label}', {
    summary: 'Delete a class with all its examples and retrain the head',
    middleware: canWrite,
    request: { params: ClassPath },
    responses: answers(200, Taught, 'The new version, trained without it.'),
  })(async (c) => {
    const { head, label: wanted } = c.req.valid('param');
    return c.json(await forget(c, head, { label: wanted }), 200);
  });
}
