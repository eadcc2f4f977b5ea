/**
 * What Custom Vision's users name and we don't: projects, tags, published names. Each is an R2 object of its own,
 * `customvision/{tenant}/{project}/…`, so that writing one never waits for another; R2 shows every write at once. All else
 * (examples, versions, metrics) belongs to the head, and is read from it.
 */
import { z } from 'zod';
import { BackboneId, CodeSpace } from '../../../src/api/index.ts';
import type { Env } from '../../env.ts';
import { MAX_CLASSES_PER_TAUGHT_HEAD, MAX_VERSION_NAMES, MAX_VERSIONS_PER_HEAD } from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { deleteBelow } from '../../stores/delete-below.ts';
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

/** What codes are of, as /v1/embed says. */
export const CodesOf = {
  backbone: BackboneId,
  /** Absent where it was stored before there were several. */
  space: CodeSpace.exactOptional(),
  base: z.string().exactOptional(),
};

/** What a prediction stored: the picture's code, to be taught later. */
export const StoredPrediction = z.object({
  id: z.string(),
  version: z.int(),
  created: z.string(),
  /** Its SHA-256; unknown where only its address came. */
  picture: z.string().optional(),
  code: z.string(),
  ...CodesOf,
  predictions: z.array(z.object({ label: z.string(), score: z.number() })),
});
export type StoredPrediction = z.infer<typeof StoredPrediction>;

/** Objects that R2 lists, or deletes, in one call. */
const PAGE = 1_000;
/** Objects that are read at the same time; a Worker may have six connections open. */
const AT_ONCE = 6;

/** What a tenant, or a project, may have; lists read no more. Tags are classes, so that their number is a head's. */
export const MAX_PROJECTS = 500;
export const MAX_PUBLISHED = MAX_VERSION_NAMES;
const MAX_ITERATIONS = MAX_VERSIONS_PER_HEAD + MAX_VERSION_NAMES + 1;

/** Where all of a tenant's are. */
export const recordFolder = (tenant: string): string => `customvision/${tenant}/`;

/** One tenant's. */
export class Records {
  readonly #bucket: R2Bucket;
  readonly #tenant: string;

  readonly #confirm: () => Promise<void>;

  /** @param confirm called before each write, as the key may be a cache's memory: rejects where its caller may not write. */
  constructor(
    { HEADS }: Pick<Env, 'HEADS'>,
    tenant: string,
    confirm: () => Promise<void> = () => Promise.resolve(),
  ) {
    this.#bucket = HEADS;
    this.#tenant = tenant;
    this.#confirm = confirm;
  }

  /** Below a project that may be deleted at this moment: then nothing stays. @throws ApiError not_found */
  async putInProject(project: string, place: string, value: object): Promise<void> {
    await this.put(`${project}/${place}`, value);
    try {
      await this.project(project);
    } catch (error) {
      await this.delete(`${project}/${place}`);
      throw error;
    }
  }

  async put(place: string, value: object): Promise<void> {
    await this.#confirm();
    await fromR2(() => this.#bucket.put(this.#name(place), JSON.stringify(value)));
  }

  async get<S extends z.ZodType>(place: string, schema: S): Promise<z.output<S> | undefined> {
    return this.#parsed(this.#name(place), schema);
  }

  /** What lies below a place, so many at most: one page of names, read a few at a time. */
  async list<S extends z.ZodType>(place: string, schema: S, most: number): Promise<z.output<S>[]> {
    const all: z.output<S>[] = [];
    for await (const record of this.#read(await this.#page(place, most), schema)) all.push(record);
    return all;
  }

  /** The same, newest first, read as long as more are needed. */
  async *newest<S extends z.ZodType>(place: string, schema: S): AsyncGenerator<z.output<S>> {
    yield* this.#read(newestFirst(await this.#page(place, PAGE)), schema);
  }

  /** Deletes the oldest beyond so many. Where there are more than a page of them, the rest is for the next time. */
  async trim(place: string, keep: number): Promise<void> {
    const surplus = newestFirst(await this.#page(place, PAGE)).slice(keep);
    await this.#delete(surplus.map(({ key }) => key));
  }

  /** Deletes what lies below a place under a name that is not among these. */
  async retain(place: string, names: ReadonlySet<string>): Promise<void> {
    const from = this.#name(place).length;
    const found = (await this.#page(place, PAGE)).map(({ key }) => key);
    await this.#delete(found.filter((key) => !names.has(key.slice(from))));
  }

  async delete(...places: readonly string[]): Promise<void> {
    await this.#delete(places.map((place) => this.#name(place)));
  }

  /** All below a place, or all there are, a page at a time. */
  async deleteAll(place = ''): Promise<void> {
    await deleteBelow(this.#bucket, this.#name(place), Infinity);
  }

  /** @throws ApiError not_found */
  async project(id: string): Promise<Project> {
    const project = isUuid(id) ? await this.get(`projects/${id.toLowerCase()}`, Project) : undefined;
    if (project === undefined) throw new ApiError('not_found', `There is no project '${id.slice(0, 80)}'.`);
    return project;
  }

  projects(): Promise<Project[]> {
    return this.list('projects/', Project, MAX_PROJECTS);
  }

  tags(project: string): Promise<Tag[]> {
    return this.list(`${project}/tags/`, Tag, MAX_CLASSES_PER_TAUGHT_HEAD);
  }

  /** @throws ApiError not_found */
  async tag(project: string, id: string): Promise<Tag> {
    const tag = isUuid(id) ? await this.get(`${project}/tags/${id.toLowerCase()}`, Tag) : undefined;
    if (tag === undefined) throw new ApiError('not_found', `The project has no tag '${id.slice(0, 80)}'.`);
    return tag;
  }

  iterationNames(project: string): Promise<z.infer<typeof IterationName>[]> {
    return this.list(`${project}/iterations/`, IterationName, MAX_ITERATIONS);
  }

  published(project: string): Promise<Published[]> {
    return this.list(`${project}/published/`, Published, MAX_PUBLISHED);
  }

  async #page(place: string, limit: number): Promise<R2Object[]> {
    return (await fromR2(() => this.#bucket.list({ prefix: this.#name(place), limit }))).objects;
  }

  async *#read<S extends z.ZodType>(
    objects: readonly R2Object[],
    schema: S,
  ): AsyncGenerator<z.output<S>, void, undefined> {
    for (let from = 0; from < objects.length; from += AT_ONCE) {
      const group = objects.slice(from, from + AT_ONCE);
      yield* (await Promise.all(group.map(({ key }) => this.#parsed(key, schema)))).filter(
        (record) => record !== undefined,
      );
    }
  }

  async #parsed<S extends z.ZodType>(name: string, schema: S): Promise<z.output<S> | undefined> {
    const object = await fromR2(() => this.#bucket.get(name));
    return object === null ? undefined : schema.parse(await object.json());
  }

  async #delete(names: string[]): Promise<void> {
    if (names.length > 0) await fromR2(() => this.#bucket.delete(names));
  }

  #name(place: string): string {
    return recordFolder(this.#tenant) + place;
  }
}

function newestFirst(objects: R2Object[]): R2Object[] {
  return objects.sort((a, b) => b.uploaded.getTime() - a.uploaded.getTime());
}
