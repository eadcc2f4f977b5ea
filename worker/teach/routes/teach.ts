/** POST /v1/heads/{head}/teach and /train: labelled pictures in, a new version out. */
import { z } from '@hono/zod-openapi';
import { TeachQuery, Taught } from '../../../src/api/index.ts';
import { sha256Hex } from '../../access/api-key.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import type { Services } from '../../isolate/services.ts';
import { taughtSpacesOf } from '../code-space.ts';
import { examplesOf } from '../embed.ts';
import { type NewExample } from '../../tenant/teach/example.ts';
import { keeper } from '../keep-pictures.ts';
import { answers, HeadPath, teachBody, operations } from '../../http/openapi.ts';
import { retrain } from '../../heads/head-calls.ts';

const TeachHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 printable ASCII characters without blanks')
    .optional()
    .meta({ description: 'A repeated request with the same key gets the same answer, for a day.' }),
});

export function addTeachRoutes(app: App, services: Services): void {
  const { post } = operations(app);
  const { keys, pointers } = services;

  post('/v1/heads/{head}/teach', {
    summary:
      'Teach labelled images: stores them and retrains the head. The new version is current when this answers',
    middleware: requireScope(keys, 'write', 'teach'),
    request: { params: HeadPath, query: TeachQuery, headers: TeachHeaders, body: teachBody },
    responses: answers(200, Taught, 'The new version, its metrics and what changed.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { train } = c.req.valid('query');
    const key = c.req.valid('header')['idempotency-key'];
    const { tenant } = c.var.principal;
    const spaces = await taughtSpacesOf(services, c.env, tenant, head);
    const keep = keeper(c.env, tenant, head);
    const examples = await examplesOf(services, spaces, c, keep);
    const digest = await digestOf(head, train, examples);
    const request = {
      origin: spaces.space.origin,
      target: spaces.target?.origin,
      examples,
      train,
      idempotency: key === undefined ? undefined : { key, digest },
    };
    const { answer, repeated } = await retrain(c, pointers, head, (stub) =>
      stub.teaching.teach(head, request),
    );
    return c.json(answer, 200, repeated ? { 'idempotency-replayed': 'true' } : {});
  });

  post('/v1/heads/{head}/train', {
    summary: 'Train a head on its stored examples',
    middleware: requireScope(keys, 'write', 'train'),
    request: { params: HeadPath },
    responses: answers(200, Taught, 'The newest version, its metrics and what changed.'),
  })(async (c) => {
    const { head } = c.req.valid('param');
    const { answer } = await retrain(c, pointers, head, (stub) => stub.teaching.train(head));
    return c.json(answer, 200);
  });
}

/** Names the request, whatever the order of a form's fields or its boundary. */
function digestOf(head: string, train: boolean, examples: readonly NewExample[]): Promise<string> {
  const lines = examples.map(({ label, picture }) => JSON.stringify([picture, label])).sort();
  return sha256Hex(JSON.stringify([head, train, lines]));
}
