/** Classify a picture: with one head, or with several in one forward pass. */
import { createRoute } from '@hono/zod-openapi';
import {
  Classification,
  Classifications,
  ClassifyManyQuery,
  ClassifyQuery,
  type HeadAnswer,
} from '../../src/api/index.ts';
import { follow } from '../aftermath.ts';
import { sha256Hex } from '../api-key.ts';
import type { App } from '../app.ts';
import { requireScope } from '../auth.ts';
import { answer, codeFor, loadHead, see } from '../classify.ts';
import { withPictures } from '../pictures.ts';
import type { Services } from '../services.ts';
import { answers, HeadPath, pictureBody } from './describe.ts';
import { explained, wishOf, withHeatMap } from './explain.ts';

export function addClassifyRoutes(app: App, services: Services): void {
  const { keys, memory, runtime } = services;
  const middleware = requireScope(keys, 'read');

  const one = createRoute({
    method: 'post',
    path: '/v1/heads/{head}/classify',
    summary: 'Classify a picture',
    middleware,
    request: { params: HeadPath, query: ClassifyQuery, body: pictureBody },
    responses: withHeatMap(
      answers(200, Classification, 'The most probable labels, and whether the picture is none of them.'),
    ),
  });
  app.openapi(one, async (c) => {
    const { head: name } = c.req.valid('param');
    const { top_k: topK, version, ...explaining } = c.req.valid('query');
    const { tenant } = c.var.principal;
    const head = await loadHead(services, c.env, tenant, name, version, Math.random());
    const wish = wishOf(explaining, c.req.header('accept'));
    if (wish !== undefined) return explained(services, c.req.raw, head, wish, topK);
    const { seen, picture } = await withPictures(c.req.raw, memory, 1, async (pictures) => ({
      seen: await see(runtime, pictures, [head]),
      picture: head.file.capture === true ? await sha256Hex(pictures[0]) : undefined,
    }));
    const code = await codeFor(services, head, seen);
    const said = answer(head, code, topK);
    const id = follow(services, c.env, { tenant, loaded: head, seen, code, picture, answer: said });
    return c.json({ ...(id === undefined ? {} : { id }), ...said, image: seen.images[0] }, 200);
  });

  const many = createRoute({
    method: 'post',
    path: '/v1/classify',
    summary: 'Classify a picture with several heads',
    middleware,
    request: { query: ClassifyManyQuery, body: pictureBody },
    responses: answers(200, Classifications, 'One result a head, in the order asked for.'),
  });
  app.openapi(many, async (c) => {
    const { heads: references, top_k: topK } = c.req.valid('query');
    const { tenant } = c.var.principal;
    const heads = await Promise.all(
      references.map(({ head, version }) => loadHead(services, c.env, tenant, head, version)),
    );
    const seen = await withPictures(c.req.raw, memory, 1, (pictures) => see(runtime, pictures, heads));
    const results: HeadAnswer[] = [];
    for (const head of heads) results.push(answer(head, await codeFor(services, head, seen), topK));
    return c.json({ results, image: seen.images[0] }, 200);
  });
}
