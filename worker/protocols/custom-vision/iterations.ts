/** Iterations: a head's versions. Training is done when the call answers. */
import { z } from 'zod';
import { ClassSummary, DisplayName, VersionName, VersionSummary } from '../../../src/api/index.ts';
import { sha256Hex } from '../../access/api-key.ts';
import { ApiError } from '../../http/problem.ts';
import { withProject, type CallerApp, type ProjectCaller } from './caller.ts';
import { versionOf } from './ids.ts';
import { readBody } from './input.ts';
import { headPath, type OwnApi } from './own-api.ts';
import { checked, refused } from './projects.ts';
import { MAX_PUBLISHED, Published, type Project, type Records } from './records.ts';
import { iterationOf, performanceOf } from './wire.ts';

const Trained = z.object({ version: z.int().optional(), missing: z.string().optional() });
const Detail = z.object({
  version: z.int(),
  classes: z.array(ClassSummary),
  versions: z.array(VersionSummary),
});
type Detail = z.output<typeof Detail>;
const Report = z.object({ labels: z.array(z.string()), confusion: z.array(z.array(z.int())) });
/** As it stands in the name of its record, of which R2 allows 1,024 bytes. */
const MAX_ENCODED_LENGTH = 900;
const PublishName = DisplayName.refine(
  (name) => encodeURIComponent(name).length <= MAX_ENCODED_LENGTH,
  'Too big: it takes too much room where it is stored',
);
/** Azure's path of the resource that predicts; here it is only told again. */
const ResourceId = z.string().max(1_000);

export function addIterations(app: CallerApp): void {
  app.post('/projects/:project/train', withProject, async (c) => {
    const { project } = c.var;
    const path = `${headPath(project.head)}/train`;
    const { version, missing } = await c.var.api.call(path, Trained, { method: 'POST' });
    if (version === undefined) throw refused('project', missing ?? 'There is nothing to train on yet.');
    const [found] = await iterationsOf(c.var, version);
    return c.json(found);
  });

  app.get('/projects/:project/iterations', withProject, async (c) => c.json(await iterationsOf(c.var)));

  app.get('/projects/:project/iterations/:iteration', withProject, async (c) => {
    const { version } = await iteration(c.var, c.req.param('iteration'));
    return c.json((await iterationsOf(c.var, version))[0]);
  });

  app.patch('/projects/:project/iterations/:iteration', withProject, async (c) => {
    const { project, version, versions } = await iteration(c.var, c.req.param('iteration'));
    const { name } = await readBody(c, z.object({ name: DisplayName }));
    const place = `${project.id}/iterations/`;
    await c.var.records.put(`${place}${version}`, { version, name });
    // Nothing else removes the names of iterations that were deleted.
    await c.var.records.retain(place, new Set(versions.map(String)));
    return c.json((await iterationsOf(c.var, version))[0]);
  });

  app.delete('/projects/:project/iterations/:iteration', withProject, async (c) => {
    const { project, version } = await iteration(c.var, c.req.param('iteration'));
    const published = await c.var.records.published(project.id);
    if (published.some((each) => each.version === version)) {
      throw refused('iteration', 'The iteration is published; unpublish it first.');
    }
    await c.var.api.tell(`${headPath(project.head)}/versions/${version}`, { method: 'DELETE' });
    await c.var.records.delete(`${project.id}/iterations/${version}`);
    return c.body(null, 204);
  });

  app.get('/projects/:project/iterations/:iteration/performance', withProject, async (c) => {
    const { version } = await iteration(c.var, c.req.param('iteration'));
    return c.json(await performance(c.var, version));
  });

  app.post('/projects/:project/iterations/:iteration/publish', withProject, async (c) => {
    const { records, api } = c.var;
    const { project, version, versions } = await iteration(c.var, c.req.param('iteration'));
    const name = checked(PublishName, c.req.query('publishName'), 'publishName');
    const resource = checked(ResourceId, c.req.query('predictionId') ?? '', 'predictionId');
    const place = `${project.id}/published/${encodeURIComponent(name)}`;
    const known = await records.get(place, Published);
    if (known !== undefined && known.version !== version && c.req.query('overwrite') !== 'true') {
      throw new ApiError('conflict', `'${name}' is published already; send overwrite=true to move it.`);
    }
    if (known === undefined) await makeRoom(records, project, versions);
    // Named, the version is also kept whatever comes after it, and our own API finds it by its name.
    const alias = await aliasOf(name);
    await api.tell(`${headPath(project.head)}/names/${alias}`, { method: 'PUT', json: { version } });
    await records.put(place, { name, version, resource });
    return c.json(true);
  });

  app.delete('/projects/:project/iterations/:iteration/publish', withProject, async (c) => {
    const { records, api } = c.var;
    const { project, version } = await iteration(c.var, c.req.param('iteration'));
    const names = (await records.published(project.id)).filter((each) => each.version === version);
    if (names.length === 0) throw refused('iteration', 'The iteration is not published.');
    for (const { name } of names) {
      await api.remove(`${headPath(project.head)}/names/${await aliasOf(name)}`);
      await records.delete(`${project.id}/published/${encodeURIComponent(name)}`);
    }
    return c.body(null, 204);
  });
}

/** Published names of versions that are gone are taken off. @throws ApiError limit_reached */
async function makeRoom(records: Records, { id }: Project, versions: readonly number[]): Promise<void> {
  const published = await records.published(id);
  const stale = published.filter(({ version }) => !versions.includes(version));
  await records.delete(...stale.map(({ name }) => `${id}/published/${encodeURIComponent(name)}`));
  if (published.length - stale.length >= MAX_PUBLISHED)
    throw new ApiError(
      'limit_reached',
      `The project has ${MAX_PUBLISHED} published names; unpublish one first.`,
    );
}

/** The version's name in our own API: the published one where it may be one. */
async function aliasOf(published: string): Promise<string> {
  if (VersionName.safeParse(published).success) return published;
  return `published-${(await sha256Hex(published)).slice(0, 16)}`;
}

/** @throws ApiError not_found */
async function iteration(
  { api, project }: ProjectCaller,
  id: string,
): Promise<{ project: Project; version: number; versions: number[] }> {
  const version = versionOf(project.id, id);
  const versions = (await detailOf(api, project))?.versions.map((each) => each.version) ?? [];
  if (version === undefined || !versions.includes(version)) {
    throw new ApiError('not_found', `The project has no iteration '${id.slice(0, 80)}'.`);
  }
  return { project, version, versions };
}

function detailOf(api: OwnApi, { head }: Project): Promise<Detail | undefined> {
  return api.find(headPath(head), Detail);
}

/** Newest first. @param only the iteration of this version. */
async function iterationsOf({ api, records, project }: ProjectCaller, only?: number): Promise<object[]> {
  const [detail, names, published] = await Promise.all([
    detailOf(api, project),
    records.iterationNames(project.id),
    records.published(project.id),
  ]);
  return (detail?.versions ?? [])
    .filter(({ version }) => only === undefined || version === only)
    .map((each) =>
      iterationOf(
        project,
        each,
        names.find(({ version }) => version === each.version)?.name,
        published.find(({ version }) => version === each.version),
      ),
    );
}

async function performance({ api, records, project }: ProjectCaller, version: number): Promise<object> {
  const detail = await detailOf(api, project);
  const summary = detail?.versions.find((each) => each.version === version);
  if (detail === undefined || summary?.leave_one_out == null) {
    throw refused('iteration', 'There are no metrics: each tag needs at least two pictures.');
  }
  const { accuracy, accuracy_interval: interval } = summary.leave_one_out;
  const classes = detail.version === version ? detail.classes : await reported(api, project, version);
  return performanceOf(accuracy, interval, classes, await records.tags(project.id));
}

/** Metrics by class of a version that isn't current, from its confusion matrix. */
async function reported(api: OwnApi, { head }: Project, version: number): Promise<Detail['classes']> {
  const report = await api.find(`${headPath(head)}/versions/${version}/report`, Report);
  return (report?.labels ?? []).map((label, i) => {
    const { confusion } = report!;
    const examples = sum(confusion[i]);
    const predicted = sum(confusion.map((row) => row[i]));
    const right = confusion[i][i];
    return {
      label,
      examples,
      precision: predicted === 0 ? 0 : right / predicted,
      recall: examples === 0 ? 0 : right / examples,
    };
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
