/** Prediction by a published name. What is stored is the picture's code, never its pixels. */
import type { Context } from 'hono';
import { z } from 'zod';
import { Classification } from '../../../src/api/index.ts';
import { sha256Hex } from '../../access/api-key.ts';
import { MAX_CLASSES_PER_TAUGHT_HEAD, POINTER_CACHE_ENTRIES } from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { POINTER_AGES } from '../../stores/pointers.ts';
import { RefreshingCache } from '../../stores/refreshing-cache.ts';
import type { CallerApp, CallerEnv, ProjectCaller } from './caller.ts';
import { Turns } from '../../isolate/turns.ts';
import { iterationId } from './ids.ts';
import { readBody, withImages } from './input.ts';
import { headPath, type OwnCall } from './own-api.ts';
import {
  CodesOf,
  type Project,
  type Published,
  type Records,
  type StoredPrediction,
  type Tag,
} from './records.ts';
import { predictionsOf } from './wire.ts';

const ALL_LABELS = 10_000;
/** Stored predictions of a project: surplus old ones are deleted at an isolate's first and then at every fiftieth. */
const MAX_STORED = 500;
const STORED_BETWEEN_TRIMS = 50;
/** Of each. A project's head has no more; an uploaded one may have thousands. */
const MAX_STORED_LABELS = MAX_CLASSES_PER_TAUGHT_HEAD;
const Url = z.union([
  z.object({ url: z.string() }),
  z.object({ Url: z.string() }).transform(({ Url }) => ({ url: Url })),
]);
const Embedded = z.object({
  ...CodesOf,
  embeddings: z.array(z.object({ code: z.string() })).length(1),
});

/** What a prediction needs of the records; as old as a pointer may be. */
interface Known {
  readonly project: Project;
  readonly tags: readonly Tag[];
  readonly published: readonly Published[];
}

export function addPrediction(app: CallerApp): void {
  const cache = new RefreshingCache<Known>(POINTER_AGES);
  const trims = new Turns(STORED_BETWEEN_TRIMS, POINTER_CACHE_ENTRIES);
  const targetOf = (c: Context<CallerEnv>) =>
    find(cache, c.var.principal.tenant, c.var.records, c.req.param());
  const path = '/:project/classify/iterations/:name';
  addPredicting(app, (form) => `${path}/${form}`, targetOf, trims);
  addPredicting(app, (form) => `${path}/${form}/nostore`, targetOf);
}

/**
 * Both forms of a call that predicts: a picture that is sent, and one that has an address.
 * @param trims where predictions are to be stored: when others make room.
 */
export function addPredicting(
  app: CallerApp,
  path: (form: 'image' | 'url') => string,
  targetOf: (c: Context<CallerEnv>) => Promise<Target>,
  trims?: Turns,
): void {
  app.post(path('image'), async (c) => {
    const target = await targetOf(c);
    return withImages(c, async ([{ bytes }]) => {
      const call: OwnCall = { method: 'POST', form: [{ name: 'image', filename: undefined, bytes }] };
      const storing = trims && { trims, picture: await sha256Hex(bytes) };
      return c.json(await predict(c.var, target, call, storing));
    });
  });
  app.post(path('url'), async (c) => {
    const target = await targetOf(c);
    const { url } = await readBody(c, Url);
    const call: OwnCall = { method: 'POST', json: { url } };
    return c.json(await predict(c.var, target, call, trims && { trims }));
  });
}

export interface Target extends Omit<Known, 'published'> {
  readonly version: number;
}

/** A name that was published a moment ago is looked for again before it is called unknown. */
async function find(
  cache: RefreshingCache<Known>,
  tenant: string,
  records: Records,
  { project: id = '', name: wanted = '' }: { readonly project?: string; readonly name?: string },
): Promise<Target> {
  const load = async (): Promise<Known> => {
    const project = await records.project(id);
    const [tags, published] = await Promise.all([records.tags(project.id), records.published(project.id)]);
    return { project, tags, published };
  };
  const key = `${tenant}/${id}`;
  const named = ({ published }: Known) => published.find(({ name }) => name === wanted)?.version;
  let known = await cache.get(key, load);
  if (named(known) === undefined) known = await cache.refresh(key, load);
  const version = named(known);
  if (version !== undefined) return { ...known, version };
  throw new ApiError('not_found', `Nothing is published as '${wanted.slice(0, 80)}'.`);
}

/** @param storing where the prediction is to be stored: when others make room, and the picture's SHA-256, if it is known. */
async function predict(
  { api, records }: Pick<ProjectCaller, 'records' | 'api'>,
  { project, tags, version }: Target,
  call: OwnCall,
  storing: { readonly trims: Turns; readonly picture?: string } | undefined,
): Promise<object> {
  const query = `?version=${version}&top_k=${ALL_LABELS}`;
  const { predictions } = await api.call(`${headPath(project.head)}/classify${query}`, Classification, call);
  const id = crypto.randomUUID();
  const created = new Date().toISOString();
  if (storing !== undefined) {
    const embed = `/v1/embed?encoding=base64&head=${project.head}`;
    const { embeddings, ...codesOf } = await api.call(embed, Embedded, call);
    const stored: StoredPrediction = {
      id,
      version,
      created,
      ...codesOf,
      predictions: predictions.slice(0, MAX_STORED_LABELS),
      picture: storing.picture,
      code: embeddings[0].code,
    };
    await records.putInProject(project.id, `predictions/${id}`, stored);
    if (storing.trims.isDue(project.id)) await records.trim(`${project.id}/predictions/`, MAX_STORED);
  }
  return {
    id,
    project: project.id,
    iteration: iterationId(project.id, version),
    created,
    predictions: predictionsOf(predictions, tags),
  };
}
