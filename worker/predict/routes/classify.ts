/** Classify a picture: with one head, or with several in one forward pass. */
import { Classification, Classifications, ClassifyManyQuery, ClassifyQuery } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { answers, BINARY, HeadPath, pictureBody, RoutingHeaders, operations } from '../../http/openapi.ts';
import type { Services } from '../../isolate/services.ts';
import type { LoadedHead } from '../../stores/head-loader.ts';
import { answerOf, callerOf, predict, predictAll, type Caller } from '../predict.ts';

/** Answers with an explanation where the request wants one. */
export type Explain = (
  services: Services,
  caller: Caller,
  request: Request,
  head: LoadedHead,
  query: { readonly explain?: string | undefined; readonly explain_format?: 'json' | 'png' | undefined },
  topK: number,
) => Promise<Response> | undefined;

export function addClassifyRoutes(app: App, services: Services, explain: Explain): void {
  const { post } = operations(app);
  const { keys, loader } = services;
  const middleware = requireScope(keys, 'read', 'classify');

  post('/v1/heads/{head}/classify', {
    summary: 'Classify an image',
    middleware,
    request: { params: HeadPath, query: ClassifyQuery, headers: RoutingHeaders, body: pictureBody },
    responses: {
      200: {
        description: 'The most probable labels, and whether the image is unknown.',
        content: { 'application/json': { schema: Classification }, 'image/png': { schema: BINARY } },
      },
    },
  })(async (c) => {
    const { head: name } = c.req.valid('param');
    const { top_k: topK, version, ...explaining } = c.req.valid('query');
    const caller = callerOf(c);
    const head = await loader.find(c.env, caller.tenant, name, version);
    const explanation = explain(services, caller, c.req.raw, head, explaining, topK);
    if (explanation !== undefined) return explanation;
    const prediction = await services.withPictures(c.req.raw, caller.work.memory, 1, ([picture]) =>
      predict(services, caller, head, picture),
    );
    return c.json({ ...answerOf(prediction, topK), image: prediction.image }, 200);
  });

  post('/v1/classify', {
    summary: 'Classify an image with several heads',
    middleware,
    request: { query: ClassifyManyQuery, headers: RoutingHeaders, body: pictureBody },
    responses: answers(200, Classifications, 'One result per head, in the order of the request.'),
  })(async (c) => {
    const { heads: references, top_k: topK } = c.req.valid('query');
    const caller = callerOf(c);
    const heads = await Promise.all(
      references.map(({ head, version }) => loader.find(c.env, caller.tenant, head, version)),
    );
    const { predictions, image } = await services.withPictures(
      c.req.raw,
      caller.work.memory,
      1,
      ([picture]) => predictAll(services, caller, heads, picture),
    );
    return c.json({ results: predictions.map((each) => answerOf(each, topK)), image }, 200);
  });
}
