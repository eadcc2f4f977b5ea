/** What a version says about itself, and putting right what it shows: reports, and labels of examples. */
import { z } from '@hono/zod-openapi';
import { Taught } from '../../../src/api/index.ts';
import { RelabelExample, VersionReport } from '../../../src/api/report.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { readJson } from '../../http/body.ts';
import { ApiError } from '../../http/problem.ts';
import type { Services } from '../../isolate/services.ts';
import { headNotFound } from '../../stores/pointers.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { answers, HeadPath, jsonBody, VersionPath, operations } from '../../http/openapi.ts';
import { retrain } from '../../heads/head-calls.ts';

export function addReportRoutes(app: App, { keys, pointers }: Services): void {
  const { get, patch } = operations(app);
  get('/v1/heads/{head}/versions/{version}/report', {
    summary: "A trained version's confusion matrix, reliability and probably mislabelled examples",
    middleware: requireScope(keys, 'read', 'manage'),
    request: { params: VersionPath },
    responses: answers(
      200,
      VersionReport,
      'Each example is predicted by a head that was trained without it: held_out_by of the version says how.',
    ),
  })(async (c) => {
    const { head, version } = c.req.valid('param');
    const found = await callOwnTenant(c, (stub) => stub.heads.report(head, version));
    if (found !== null) return c.json(found, 200);
    const detail = await callOwnTenant(c, (stub) => stub.heads.describe(head));
    if (detail === null) throw headNotFound(head);
    throw new ApiError(
      'version_not_found',
      `Head '${head}' has no version ${version} with a report. Versions have one that were taught here with two examples of a class or more.`,
    );
  });

  patch('/v1/heads/{head}/examples/{id}', {
    summary: "Change an example to another of the head's labels and retrain the head",
    middleware: requireScope(keys, 'write', 'manage'),
    request: {
      params: HeadPath.extend({ id: z.string().max(64) }),
      body: jsonBody('RelabelExample'),
    },
    responses: answers(200, Taught, 'The new version.'),
  })(async (c) => {
    const { head, id } = c.req.valid('param');
    const { label } = await readJson(c.req.raw, RelabelExample);
    const { answer } = await retrain(c, pointers, head, (stub) => stub.teaching.relabel(head, id, label));
    return c.json(answer, 200);
  });
}
