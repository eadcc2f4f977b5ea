/**
 * What Custom Vision's users name and we don't: projects, tags, published names. Each is an R2 object of its own,
 * `customvision/{tenant}/{project}/…`, so that writing one never waits for another; R2 shows every write at once. All else
 * (examples, versions, figures) is the head's, and asked of it.
 */
import { z } from 'zod';
import type { Env } from '../../env.ts';
import { ApiError } from '../../problem.ts';
import { fromR2 } from '../../stores/reads.ts';
import { isUuid } from './ids.ts';

export const Project = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  /** The head that it is. */
  head: z.string(),
  domainId: z.string(),
  created: z.string(),
  modified: z.string(),
});
export type Project = z.infer<typeof Project>;

export const Tag = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  type: z.enum(['Regular', 'Negative']),
  /** Of the head's class: the name when the tag was made. */
  label: z.string(),
});
export type Tag = z.infer<typeof Tag>;

/** A published name. */
export const Published = z.object({ name: z.string(), version: z.int(), resource: z.string() });
export type Published = z.infer<typeof Published>;

/** What an iteration was renamed to. */
export const IterationName = z.object({ version: z.int(), name: z.string() });

/** What a prediction stored: the picture's code, to be taught later. */
export const StoredPrediction = z.object({
  id: z.string(),
  version: z.int(),
  created: z.string(),
  /** Its SHA-256; unknown where only its address came. */
  picture: z.string().optional(),
  code: z.string(),
  backbone: z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() }),
  predictions: z.array(z.object({ label: z.string(), score: z.number() })),
});
export type StoredPrediction = z.infer<typeof StoredPrediction>;

/** Objects deleted in one call. */
const DELETE_BATCH = 1_000;

/** One tenant's. */
export class Records {
  readonly #bucket: R2Bucket;
  readonly #tenant: string;

  constructor({ HEADS }: Pick<Env, 'HEADS'>, tenant: string) {
    this.#bucket = HEADS;
    this.#tenant = tenant;
  }

  async put(place: string, value: object): Promise<void> {
    await fromR2(() => this.#bucket.put(this.#name(place), JSON.stringify(value)));
  }

  async get<S extends z.ZodType>(place: string, schema: S): Promise<z.output<S> | undefined> {
    const object = await fromR2(() => this.#bucket.get(this.#name(place)));
    return object === null ? undefined : schema.parse(await object.json());
  }

  /** All below a place. */
  async list<S extends z.ZodType>(place: string, schema: S): Promise<z.output<S>[]> {
    const names = await this.#names(place);
    const found = await Promise.all(names.map((name) => fromR2(() => this.#bucket.get(name))));
    return Promise.all(
      found.filter((object) => object !== null).map(async (object) => schema.parse(await object.json())),
    );
  }

  /** Deletes the oldest beyond so many. */
  async trim(place: string, keep: number): Promise<void> {
    const objects = await this.#objects(place);
    objects.sort((a, b) => b.uploaded.getTime() - a.uploaded.getTime());
    const names = objects.slice(keep).map(({ key }) => key);
    if (names.length > 0) await fromR2(() => this.#bucket.delete(names.slice(0, DELETE_BATCH)));
  }

  async delete(place: string): Promise<void> {
    await fromR2(() => this.#bucket.delete(this.#name(place)));
  }

  /** All below a place, or all there are. */
  async deleteAll(place = ''): Promise<void> {
    const names = await this.#names(place);
    for (let at = 0; at < names.length; at += DELETE_BATCH)
      await fromR2(() => this.#bucket.delete(names.slice(at, at + DELETE_BATCH)));
  }

  /** @throws ApiError not_found */
  async project(id: string): Promise<Project> {
    const project = isUuid(id) ? await this.get(`projects/${id.toLowerCase()}`, Project) : undefined;
    if (project === undefined) throw new ApiError('not_found', `There is no project '${id.slice(0, 80)}'.`);
    return project;
  }

  projects(): Promise<Project[]> {
    return this.list('projects/', Project);
  }

  tags(project: string): Promise<Tag[]> {
    return this.list(`${project}/tags/`, Tag);
  }

  /** @throws ApiError not_found */
  async tag(project: string, id: string): Promise<Tag> {
    const tag = isUuid(id) ? await this.get(`${project}/tags/${id.toLowerCase()}`, Tag) : undefined;
    if (tag === undefined) throw new ApiError('not_found', `The project has no tag '${id.slice(0, 80)}'.`);
    return tag;
  }

  published(project: string): Promise<Published[]> {
    return this.list(`${project}/published/`, Published);
  }

  async #names(place: string): Promise<string[]> {
    return (await this.#objects(place)).map(({ key }) => key);
  }

  async #objects(place: string): Promise<R2Object[]> {
    const objects: R2Object[] = [];
    let cursor: string | undefined;
    do {
      const options = { prefix: this.#name(place), ...(cursor === undefined ? {} : { cursor }) };
      const page = await fromR2(() => this.#bucket.list(options));
      objects.push(...page.objects);
      cursor = page.truncated ? page.cursor : undefined;
    } while (cursor !== undefined);
    return objects;
  }

  #name(place: string): string {
    return `customvision/${this.#tenant}/${place}`;
  }
}
