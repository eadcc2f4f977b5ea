/** The training API's part of prediction: trying an iteration before it is published, and what predictions stored. */
import type { Context } from 'hono';
import { z } from 'zod';
import { ApiError } from '../../http/problem.ts';
import { withProject, type CallerApp, type CallerEnv } from './caller.ts';
import { iterationId, isUuid, versionOf } from './ids.ts';
import { idsOf, readBody } from './input.ts';
import { headPath } from './own-api.ts';
import { addPredicting, type Target } from './prediction.ts';
import { StoredPrediction } from './records.ts';
import { predictionsOf } from './wire.ts';

const MAX_RESULTS = 256;
const Detail = z.object({ version: z.int() });
const Query = z.object({ maxCount: z.int().min(0).nullish(), iterationId: z.string().nullish() });

export function addStoredPredictions(app: CallerApp): void {
  addPredicting(app, (form) => `/projects/:project/quicktest/${form}`, targetOf);

  app.post('/projects/:project/predictions/query', withProject, async (c) => {
    const { records, project } = c.var;
    const { id } = project;
    const token = await readBody(c, Query);
    const tags = await records.tags(id);
    const most = Math.min(token.maxCount || MAX_RESULTS, MAX_RESULTS);
    const results: object[] = [];
    for await (const stored of records.newest(`${id}/predictions/`, StoredPrediction)) {
      const iteration = iterationId(id, stored.version);
      if (token.iterationId != null && iteration !== token.iterationId) continue;
      const { id: prediction, created, predictions } = stored;
      results.push({
        id: prediction,
        project: id,
        iteration,
        created,
        predictions: predictionsOf(predictions, tags),
      });
      if (results.length === most) break;
    }
    return c.json({ token, results });
  });

  app.delete('/projects/:project/predictions', withProject, async (c) => {
    const { records, project } = c.var;
    const { id } = project;
    const ids = idsOf(c.req.queries('ids')).filter(isUuid);
    await records.delete(...ids.map((prediction) => `${id}/predictions/${prediction.toLowerCase()}`));
    return c.body(null, 204);
  });
}

/** The iteration that the query names; the newest training where it names none. */
async function targetOf(c: Context<CallerEnv>): Promise<Target> {
  const { records, api } = c.var;
  const project = await records.project(c.req.param('project') ?? '');
  const wanted = c.req.query('iterationId');
  const version =
    wanted === undefined
      ? (await api.call(headPath(project.head), Detail)).version
      : versionOf(project.id, wanted);
  if (version === undefined) throw new ApiError('not_found', 'The project has no such iteration.');
  return { project, version, tags: await records.tags(project.id) };
}
