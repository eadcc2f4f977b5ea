/** Classify a picture: with one head, or with several in one forward pass. */
import { createRoute } from '@hono/zod-openapi';
import {
  Classification,
  Classifications,
  ClassifyManyQuery,
  ClassifyQuery,
  type HeadAnswer,
} from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { ask, askAll, askerOf, type Asked } from '../predict.ts';
import { answer, loadHead } from '../features.ts';
import { withPictures } from '../../http/pictures.ts';
import type { Services } from '../../isolate/services.ts';
import { answers, HeadPath, pictureBody, RoutingHeaders } from '../../http/openapi.ts';
import { explained, wishOf, withHeatMap } from './explain.ts';

export function addClassifyRoutes(app: App, services: Services): void {
  const { keys, memory } = services;
  const middleware = requireScope(keys, 'read');

  const one = createRoute({
    method: 'post',
    path: '/v1/heads/{head}/classify',
    summary: 'Classify a picture',
    middleware,
    request: { params: HeadPath, query: ClassifyQuery, headers: RoutingHeaders, body: pictureBody },
    responses: withHeatMap(
      answers(200, Classification, 'The most probable labels, and whether the picture is none of them.'),
    ),
  });
  app.openapi(one, async (c) => {
    const { head: name } = c.req.valid('param');
    const { top_k: topK, version, ...explaining } = c.req.valid('query');
    const { tenant } = c.get('principal');
    const asker = askerOf(c);
    const head = await loadHead(services, c.env, tenant, name, version);
    const wish = wishOf(explaining, c.req.header('accept'));
    if (wish !== undefined) return explained(services, asker, c.req.raw, head, wish, topK);
    const { image, ...asked } = await withPictures(c.req.raw, memory.of(tenant), 1, ([picture]) =>
      ask(services, asker, head, picture),
    );
    return c.json({ ...answerOf(asked, topK), image }, 200);
  });

  const many = createRoute({
    method: 'post',
    path: '/v1/classify',
    summary: 'Classify a picture with several heads',
    middleware,
    request: { query: ClassifyManyQuery, headers: RoutingHeaders, body: pictureBody },
    responses: answers(200, Classifications, 'One result a head, in the order asked for.'),
  });
  app.openapi(many, async (c) => {
    const { heads: references, top_k: topK } = c.req.valid('query');
    const { tenant } = c.get('principal');
    const asker = askerOf(c);
    const heads = await Promise.all(
      references.map(({ head, version }) => loadHead(services, c.env, tenant, head, version)),
    );
    const { asked, image } = await withPictures(c.req.raw, memory.of(tenant), 1, ([picture]) =>
      askAll(services, asker, heads, picture),
    );
    return c.json({ results: asked.map((each) => answerOf(each, topK)), image }, 200);
  });
}

function answerOf({ loaded, code, id }: Asked, topK: number): HeadAnswer {
  return { ...(id === undefined ? {} : { id }), ...answer(loaded, code, topK) };
}
