/** Learning from use: the queue of predictions that a person should look at, and what that person says of them. */
import { Feedback, ReviewQueue, Taught } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readJson } from '../../http/body.ts';
import type { Services } from '../../isolate/services.ts';
import { taughtSpacesOf } from '../code-space.ts';
import { answers, HeadPath, jsonBody, operations } from '../../http/openapi.ts';
import { lookUp, retrain } from '../../heads/head-calls.ts';

export function addReviewRoutes(app: App, services: Services): void {
  const { get, post } = operations(app);
  const { keys, pointers } = services;
  get('/v1/heads/{head}/review', {
    summary: 'Captured predictions whose right label would help training',
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: HeadPath },
    responses: answers(200, ReviewQueue, 'The queue, most helpful first.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    return c.json({ items: await lookUp(c, head, (stub) => stub.examples.captures(head)) }, 200);
  });

  post('/v1/heads/{head}/feedback', {
    summary: 'Label a captured prediction: it becomes an example, and the head is retrained',
    middleware: requireScope(keys, 'write', 'feedback'),
    request: { params: HeadPath, body: jsonBody('Feedback') },
    responses: answers(200, Taught, 'The new version; none where the prediction was only dismissed.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { id, label } = await readJson(c.req.raw, Feedback);
    const { space } = await taughtSpacesOf(services, c.env, c.var.principal.tenant, head);
    const { answer } = await retrain(c, pointers, head, (stub) =>
      stub.teaching.feedback(head, id, label, space.origin),
    );
    return c.json(answer, 200);
  });
}
