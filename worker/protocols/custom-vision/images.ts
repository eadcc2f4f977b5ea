/** Training images: a head's examples. Pixels aren't kept, so that their addresses are missing. */
import { z } from 'zod';
import { MAX_EXAMPLES_PER_PAGE } from '../../../src/api/index.ts';
import { sha256Hex } from '../../access/api-key.ts';
import { ApiError } from '../../http/problem.ts';
import { fromBase64 } from '../../http/pictures.ts';
import { retrain } from '../../heads/head-calls.ts';
import type { Services } from '../../isolate/services.ts';
import { withProject, type CallerApp, type ProjectCaller } from './caller.ts';
import { hashPrefix, isUuid } from './ids.ts';
import { idsOf, MAX_IDS, MAX_IMAGES, readBody, withImages, withJson } from './input.ts';
import { headPath, type OwnCall, type OwnApi } from './own-api.ts';
import { checked } from './projects.ts';
import { StoredPrediction, type Project, type Records, type Tag } from './records.ts';
import { imageOf } from './wire.ts';

const TagIds = z.array(z.string()).max(MAX_IDS).nullish();
const list = <S extends z.ZodType>(entry: S) =>
  z.object({ images: z.array(entry).min(1).max(MAX_IMAGES), tagIds: TagIds });
export const Files = list(z.object({ name: z.string().nullish(), contents: z.string(), tagIds: TagIds }));
export const Urls = list(z.object({ url: z.string(), tagIds: TagIds }));
export const Predictions = list(z.object({ id: z.string(), tagIds: TagIds }));

/** In a query. */
const Count = z
  .string()
  .regex(/^[0-9]{1,9}$/, 'must be a whole number')
  .transform(Number);

const Taught = z.object({ added: z.int().optional(), duplicates: z.int().optional() });
const Example = z.object({ id: z.string(), picture: z.string(), label: z.string(), created_at: z.string() });
const ExamplePage = z.object({ examples: z.array(Example), total: z.int(), next: z.string().optional() });

/** An image on its way in. */
interface Arriving {
  readonly source: string;
  readonly tagIds: readonly string[];
  readonly teachCall: (label: string) => Promise<OwnCall>;
  /** SHA-256, where it is known beforehand. */
  readonly picture: () => Promise<string | undefined>;
}

export function addImages(app: CallerApp, { pointers }: Services): void {
  app.post('/projects/:project/images', withProject, async (c) => {
    const tagIds = idsOf(c.req.queries('tagIds'));
    return withImages(c, async (images) => {
      const arriving = images.map(({ name, bytes }) => fromBytes(name, bytes, tagIds));
      return c.json(await takeIn(c.var, arriving));
    });
  });

  app.post('/projects/:project/images/files', withProject, (c) =>
    withJson(c, Files, async ({ images, tagIds }) => {
      const arriving = images.map((image) =>
        fromBytes(image.name ?? '', fromBase64(image.contents, 'contents'), image.tagIds ?? tagIds ?? []),
      );
      return c.json(await takeIn(c.var, arriving));
    }),
  );

  app.post('/projects/:project/images/urls', withProject, async (c) => {
    const { images, tagIds } = await readBody(c, Urls);
    const arriving = images.map(({ url, tagIds: own }): Arriving => ({
      source: url,
      tagIds: own ?? tagIds ?? [],
      teachCall: (label) => Promise.resolve({ method: 'POST', json: { examples: [{ label, url }] } }),
      picture: () => Promise.resolve(undefined),
    }));
    return c.json(await takeIn(c.var, arriving));
  });

  app.post('/projects/:project/images/predictions', withProject, async (c) => {
    const { records, project } = c.var;
    const { images, tagIds } = await readBody(c, Predictions);
    const arriving = images.map(({ id, tagIds: own }) =>
      fromPrediction(records, project, id, own ?? tagIds ?? []),
    );
    return c.json(await takeIn(c.var, arriving));
  });

  for (const path of ['/projects/:project/images', '/projects/:project/images/tagged'] as const) {
    app.get(path, withProject, async (c) => {
      const { records, api, project } = c.var;
      const tags = await records.tags(project.id);
      const skip = checked(Count, c.req.query('skip') ?? '0', 'skip');
      const take = Math.min(checked(Count, c.req.query('take') ?? '50', 'take'), 256);
      const examples = await tagged(api, project, tags, idsOf(c.req.queries('tagIds')));
      const oldest = c.req.query('orderBy') === 'Oldest';
      examples.sort((a, b) => (oldest ? 1 : -1) * a.created_at.localeCompare(b.created_at));
      return c.json(examples.slice(skip, skip + take).map((example) => imageOf(example, tags)));
    });
    app.get(`${path}/count`, withProject, async (c) => {
      const { records, api, project } = c.var;
      const tags = await records.tags(project.id);
      return c.json((await tagged(api, project, tags, idsOf(c.req.queries('tagIds')))).length);
    });
  }
  app.get('/projects/:project/images/untagged', (c) => c.json([]));
  app.get('/projects/:project/images/untagged/count', (c) => c.json(0));

  app.delete('/projects/:project/images', withProject, async (c) => {
    const { api, project } = c.var;
    const all = c.req.query('allImages') === 'true';
    const prefixes = new Set(idsOf(c.req.queries('imageIds')).map(hashPrefix));
    const found = await examplesOf(api, project);
    const ids = found.filter(({ picture }) => all || prefixes.has(picture.slice(0, 32))).map(({ id }) => id);
    // All at once: the head is trained once without them.
    if (ids.length > 0)
      await retrain(c, pointers, project.head, (stub) => stub.teaching.forget(project.head, { ids }));
    return c.body(null, 204);
  });
}

function fromBytes(source: string, bytes: Uint8Array, tagIds: readonly string[]): Arriving {
  return {
    source,
    tagIds,
    teachCall: (label) => {
      const form = [
        { name: 'label', filename: undefined, bytes: new TextEncoder().encode(label) },
        { name: 'image', filename: 'image', bytes },
      ];
      return Promise.resolve({ method: 'POST', form });
    },
    picture: () => sha256Hex(bytes),
  };
}

function fromPrediction(
  records: Records,
  { id: project }: Project,
  id: string,
  tagIds: readonly string[],
): Arriving {
  const stored = async (): Promise<StoredPrediction> => {
    const found = isUuid(id)
      ? await records.get(`${project}/predictions/${id}`, StoredPrediction)
      : undefined;
    if (found === undefined) throw new ApiError('not_found', 'There is no such prediction.');
    return found;
  };
  return {
    source: id,
    tagIds,
    teachCall: async (label) => {
      const { code, picture, backbone, space, base } = await stored();
      return { method: 'POST', json: { backbone, space, base, examples: [{ label, code, picture }] } };
    },
    picture: async () => (await stored()).picture,
  };
}

/** One after the other: each has a status of its own, and one that fails keeps nobody out. */
async function takeIn(
  { records, api, project }: ProjectCaller,
  arriving: readonly Arriving[],
): Promise<object> {
  const tags = await records.tags(project.id);
  const images: { status: string }[] = [];
  for (const each of arriving) images.push(await takeInOne(api, project, tags, each));
  return { isBatchSuccessful: images.every(({ status }) => status.startsWith('OK')), images };
}

async function takeInOne(
  api: OwnApi,
  { head }: Project,
  tags: readonly Tag[],
  { source, tagIds, teachCall, picture }: Arriving,
): Promise<{ sourceUrl: string; status: string; image?: object | undefined }> {
  const tag = tags.find(({ id }) => id === tagIds[0]?.toLowerCase());
  if (tagIds.length > 1) return { sourceUrl: source, status: 'ErrorTagLimitExceed' };
  if (tag === undefined) return { sourceUrl: source, status: 'ErrorInvalidTag' };
  try {
    const path = `${headPath(head)}/teach?train=false`;
    const { added } = await api.call(path, Taught, await teachCall(tag.label));
    const sha256 = await picture();
    const now = new Date().toISOString();
    return {
      sourceUrl: source,
      status: added === 0 ? 'OKDuplicate' : 'OK',
      image:
        sha256 === undefined
          ? undefined
          : imageOf({ picture: sha256, label: tag.label, created_at: now }, tags),
    };
  } catch (error) {
    if (error instanceof ApiError && error.status < 500)
      return { sourceUrl: source, status: statusOf(error) };
    throw error;
  }
}

function statusOf({ code, status }: ApiError): string {
  if (code.startsWith('url_') || code === 'not_found') return 'ErrorSource';
  // The code of a stored prediction that the project's head does not read any more, or that could not come along in a move.
  if (code === 'backbone_mismatch' || code === 'conflict') return 'ErrorSource';
  if (code === 'label_conflict') return 'ErrorTagLimitExceed';
  if (
    code === 'limit_reached' ||
    code === 'rate_limited' ||
    code === 'training_data_too_large' ||
    code === 'too_much_work'
  )
    return 'ErrorLimitExceed';
  if (status === 413) return 'ErrorImageSize';
  return status === 415 || status === 422 || code === 'image_empty' ? 'ErrorImageFormat' : 'ErrorUnknown';
}

/** Those with one of the tags; all where none is named. */
async function tagged(
  api: OwnApi,
  project: Project,
  tags: readonly Tag[],
  wanted: readonly string[],
): Promise<z.output<typeof Example>[]> {
  const examples = await examplesOf(api, project);
  if (wanted.length === 0) return examples;
  const labels = new Set(tags.filter(({ id }) => wanted.includes(id)).map(({ label }) => label));
  return examples.filter(({ label }) => labels.has(label));
}

/** All of a project's. */
async function examplesOf(api: OwnApi, { head }: Project): Promise<z.output<typeof Example>[]> {
  const all: z.output<typeof Example>[] = [];
  let after: string | undefined;
  do {
    const query = `?limit=${MAX_EXAMPLES_PER_PAGE}${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`;
    const page = await api.find(`${headPath(head)}/examples${query}`, ExamplePage);
    all.push(...(page?.examples ?? []));
    after = page?.next;
  } while (after !== undefined);
  return all;
}
