/** The training API's part of prediction: trying an iteration before it is published, and what predictions stored. */
import { z } from 'zod';
import { ApiError } from '../../problem.ts';
import type { Services } from '../../services.ts';
import type { CallerApp } from './caller.ts';
import { iterationId, isUuid, versionOf } from './ids.ts';
import { idsOf, readBody, readImages } from './input.ts';
import { headPath, type OwnApi } from './own-api.ts';
import { predict, Url, type Target } from './prediction.ts';
import { StoredPrediction, type Records } from './records.ts';
import { predictionsOf } from './wire.ts';

const MAX_RESULTS = 256;
const Detail = z.object({ version: z.int() });
const Query = z.object({ maxCount: z.int().min(0).nullish(), iterationId: z.string().nullish() });

export function addStoredPredictions(app: CallerApp, { memory }: Services): void {
  app.post('/projects/:project/quicktest/image', async (c) => {
    const target = await targetOf(c.var, c.req.param('project'), c.req.query('iterationId'));
    const [image] = await readImages(c.req.raw, memory);
    const ask = { method: 'POST', body: image.bytes, type: 'application/octet-stream' } as const;
    return c.json(await predict(c.var, target, ask, undefined));
  });

  app.post('/projects/:project/quicktest/url', async (c) => {
    const target = await targetOf(c.var, c.req.param('project'), c.req.query('iterationId'));
    const { url } = await readBody(c.req.raw, memory, Url);
    return c.json(await predict(c.var, target, { method: 'POST', json: { url } }, undefined));
  });

  app.post('/projects/:project/predictions/query', async (c) => {
    const { records } = c.var;
    const { id } = await records.project(c.req.param('project'));
    const token = await readBody(c.req.raw, memory, Query);
    const tags = await records.tags(id);
    const results = (await records.list(`${id}/predictions/`, StoredPrediction))
      .filter(({ version }) => token.iterationId == null || iterationId(id, version) === token.iterationId)
      .sort((a, b) => b.created.localeCompare(a.created))
      .slice(0, token.maxCount || MAX_RESULTS)
      .map(({ id: prediction, version, created, predictions }) => ({
        id: prediction,
        project: id,
        iteration: iterationId(id, version),
        created,
        predictions: predictionsOf(predictions, tags),
      }));
    return c.json({ token, results });
  });

  app.delete('/projects/:project/predictions', async (c) => {
    const { records } = c.var;
    const { id } = await records.project(c.req.param('project'));
    for (const prediction of idsOf(c.req.queries('ids')).filter(isUuid)) {
      await records.delete(`${id}/predictions/${prediction.toLowerCase()}`);
    }
    return c.body(null, 204);
  });
}

/** @param wanted an iteration's id; the newest training where absent. */
async function targetOf(
  { records, api }: { readonly records: Records; readonly api: OwnApi },
  id: string,
  wanted: string | undefined,
): Promise<Target> {
  const project = await records.project(id);
  const version =
    wanted === undefined
      ? (await api.ask(headPath(project.head), Detail)).version
      : versionOf(project.id, wanted);
  if (version === undefined) throw new ApiError('not_found', 'The project has no such iteration.');
  return { project, version, tags: await records.tags(project.id) };
}
