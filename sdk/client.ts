/**
 * A typed client of the HTTP API. No dependencies: it needs fetch, FormData and AbortSignal, which Node, browsers and
 * Workers all have. Calls that may be repeated without harm are: after 429, 502 to 504 and lost connections, with
 * growing pauses, or after the time that the Worker names.
 */
import type * as api from '../src/api/index.ts';
import type { VersionReport } from '../src/api/report.ts';
import type { z } from 'zod';
import { batchCall, batchLines } from './batch.ts';
import { get, headPath, teachForm, once, patch, picturesForm, post, put, remove, showing } from './calls.ts';
import type {
  AnswerOptions,
  BatchOptions,
  ClassifyOptions,
  EmbedOptions,
  ExamplesOptions,
  PageOptions,
  Picture,
  TeachOptions,
  Upload,
} from './options.ts';
import { allPages } from './pages.ts';
import * as is from './shapes.ts';
import { Transport, type Call, type CallOptions, type ClientOptions } from './transport.ts';

export { ApiError } from './errors.ts';
export type { Taught } from '../src/api/index.ts';
export type * from './options.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type { UploadProgress } from './upload.ts';

/**
 * @example
 * const client = new HeadwaterClient({ url, key });
 * await client.teach(
 *   'pets',
 *   [
 *     { label: 'cat', name: 'cat.jpg', bytes: cat },
 *     { label: 'dog', name: 'dog.jpg', bytes: dog },
 *   ],
 *   { idempotencyKey: crypto.randomUUID() },
 * );
 * const { predictions, unknown } = await client.classify('pets', { bytes: photo, type: 'image/jpeg' });
 */
export class HeadwaterClient {
  readonly #transport: Transport;

  constructor(options: ClientOptions) {
    this.#transport = new Transport(options);
  }

  /** All heads, by name; requested a page at a time. */
  async listHeads(options?: CallOptions): Promise<api.HeadSummary[]> {
    const pages = allPages((after) => this.listHeadsPage({ ...options, after, limit: 500 }));
    return (await pages).flatMap(({ heads }) => heads);
  }

  /** A page of them; its `next` leads to the next one. */
  async listHeadsPage({ limit, after, ...options }: PageOptions = {}): Promise<api.HeadList> {
    return this.#transport.json(is.headList, get('v1/heads', { limit, after }), options);
  }

  async describeHead(head: string, options?: CallOptions): Promise<api.HeadDetail> {
    return this.#transport.json(is.headDetail, get(headPath(head)), options);
  }

  /** Deletes a head with all its versions and examples. */
  async deleteHead(head: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(remove(headPath(head)), options);
  }

  /** Uploads a head file; the answer names its version. Repeating it is safe: versions are found by content. */
  async putHead(head: string, file: Uint8Array<ArrayBuffer>, options?: CallOptions): Promise<api.HeadStored> {
    const headers = { 'content-type': 'application/octet-stream' };
    const call: Call = { method: 'PUT', path: headPath(head), headers, body: file, repeatable: true };
    return this.#transport.json(is.headStored, call, options);
  }

  /** @returns the version's head file. */
  async downloadVersion(head: string, version: number, options?: CallOptions): Promise<Blob> {
    return (await this.#transport.send(get(headPath(head, 'versions', version)), options)).blob();
  }

  /**
   * Makes a version current: here at once, everywhere within 60 s.
   * @param percent of the requests only, as a canary.
   */
  async activateVersion(
    head: string,
    version: number,
    { percent, ...options }: CallOptions & { readonly percent?: number | undefined } = {},
  ): Promise<z.infer<typeof api.VersionActivated>> {
    const share = percent === undefined ? undefined : { percent };
    const call = post(headPath(head, 'versions', version, 'activate'), share);
    return this.#transport.json(is.activated, call, options);
  }

  async deleteVersion(head: string, version: number, options?: CallOptions): Promise<void> {
    await this.#transport.send(remove(headPath(head, 'versions', version)), options);
  }

  /** The confusion matrix, how sure the version was, and which examples look wrong. */
  async versionReport(head: string, version: number, options?: CallOptions): Promise<VersionReport> {
    return this.#transport.json(is.report, get(headPath(head, 'versions', version, 'report')), options);
  }

  /** Which versions answer: current, canary, shadow, names. */
  async routing(head: string, options?: CallOptions): Promise<api.Routing> {
    return this.#transport.json(is.routing, get(headPath(head, 'routing')), options);
  }

  /** Gives a version a name that requests can use. A name of another version moves. */
  async nameVersion(
    head: string,
    name: string,
    version: number,
    options?: CallOptions,
  ): Promise<api.Routing> {
    return this.#transport.json(is.routing, put(headPath(head, 'names', name), { version }), options);
  }

  async unnameVersion(head: string, name: string, options?: CallOptions): Promise<api.Routing> {
    return this.#transport.json(is.routing, remove(headPath(head, 'names', name)), options);
  }

  /** Runs a version in the shadow of the current one; `routing` counts where they disagree. null ends it. */
  async shadowVersion(head: string, version: number | null, options?: CallOptions): Promise<api.Routing> {
    const path = headPath(head, 'shadow');
    return this.#transport.json(is.routing, version ? put(path, { version }) : remove(path), options);
  }

  async settings(head: string, options?: CallOptions): Promise<api.HeadSettings> {
    return this.#transport.json(is.settings, get(headPath(head, 'settings')), options);
  }

  async configure(
    head: string,
    settings: api.HeadSettings,
    options?: CallOptions,
  ): Promise<api.HeadSettings> {
    return this.#transport.json(is.settings, put(headPath(head, 'settings'), settings), options);
  }

  /** What was chosen for all heads of the key's tenant: whether pictures of examples are kept. */
  async tenantSettings(options?: CallOptions): Promise<api.TenantSettings> {
    return this.#transport.json(is.tenantSettings, get('v1/settings'), options);
  }

  /** Wants a key with the scope `admin`. Pictures that are kept go when `keep_images` is switched off. */
  async configureTenant(settings: api.TenantSettings, options?: CallOptions): Promise<api.TenantSettings> {
    return this.#transport.json(is.tenantSettings, put('v1/settings', settings), options);
  }

  async classify(
    head: string,
    picture: Picture,
    { topK, version, explain, routingKey, ...options }: ClassifyOptions = {},
  ): Promise<api.Classification> {
    const query = { top_k: topK, version, explain };
    const call = showing(headPath(head, 'classify'), picture, query, routingKey);
    return this.#transport.json(is.classification, call, options);
  }

  /**
   * One picture, several heads, one pass through the network.
   * @param heads at most 16, each `name` or `name@version`; the answers come in their order.
   */
  async classifyMany(
    heads: readonly string[],
    picture: Picture,
    { topK, routingKey, ...options }: AnswerOptions = {},
  ): Promise<z.infer<typeof api.Classifications>> {
    const call = showing('v1/classify', picture, { heads: heads.join(','), top_k: topK }, routingKey);
    return this.#transport.json(is.classifications, call, options);
  }

  /**
   * Classifies up to 100 pictures in one request; each line comes as soon as the Worker has it, a picture that can't be
   * read as one with a `problem`, and a summary as the last.
   * @param pictures files with names, or a ZIP of them.
   */
  async *classifyBatch(
    head: string,
    pictures: readonly File[] | Blob,
    options: BatchOptions = {},
  ): AsyncGenerator<api.BatchLine, void, undefined> {
    const call = batchCall(head, pictures, options);
    yield* batchLines(await this.#transport.send(call, options), options.signal);
  }

  /** CNN codes: the network's features of images, for search, clustering or a classifier of your own. */
  async embed(
    pictures: readonly Picture[],
    { head, backbone, size, rules, encoding, ...options }: EmbedOptions = {},
  ): Promise<z.infer<typeof api.Embeddings>> {
    const call: Call = {
      ...post('v1/embed'),
      query: { head, backbone, size, rules, encoding },
      body: picturesForm(pictures),
    };
    return this.#transport.json(is.embeddings, call, options);
  }

  /** Adds labelled pictures to a head, and retrains it unless `train` is false. */
  async teach(
    head: string,
    pictures: readonly Upload[],
    { idempotencyKey, train = true, ...options }: TeachOptions,
  ): Promise<api.Taught> {
    const call: Call = {
      ...post(headPath(head, 'teach')),
      query: { train: train ? undefined : false },
      headers: { 'idempotency-key': idempotencyKey },
      body: teachForm(pictures),
    };
    return this.#transport.json(is.taught, call, options);
  }

  /** Trains on the examples that are stored: after `teach` with `train: false`. */
  async train(head: string, options?: CallOptions): Promise<api.Taught> {
    return this.#transport.json(is.taught, post(headPath(head, 'train')), options);
  }

  /** A page of a head's examples; its `next` leads to the next one. */
  async listExamples(
    head: string,
    { label, limit, after, ...options }: ExamplesOptions = {},
  ): Promise<api.ExampleList> {
    const call = get(headPath(head, 'examples'), { label, limit, after });
    return this.#transport.json(is.exampleList, call, options);
  }

  /** An example's image file, where the tenant keeps images and the example `has_image`. */
  async exampleImage(head: string, id: string, options?: CallOptions): Promise<Blob> {
    return (await this.#transport.send(get(headPath(head, 'examples', id, 'image')), options)).blob();
  }

  /** Gives an example another label; the head is retrained. */
  async relabelExample(head: string, id: string, label: string, options?: CallOptions): Promise<api.Taught> {
    return this.#transport.json(is.taught, patch(headPath(head, 'examples', id), { label }), options);
  }

  /** Deletes an example; the head is retrained without it. */
  async forgetExample(head: string, id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(remove(headPath(head, 'examples', id)), options);
  }

  /** Deletes a class with its examples; the head is retrained without them. */
  async forgetClass(head: string, label: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(remove(headPath(head, 'classes', label)), options);
  }

  /** How far a head is on its way to the default code space. */
  async rebaseProgress(head: string, options?: CallOptions): Promise<api.Rebase> {
    return this.#transport.json(is.rebase, get(headPath(head, 'rebase')), options);
  }

  /** The next step of that way: 32 pictures, or the new version at last. Repeat it until `state` is `done`. */
  async rebase(head: string, options?: CallOptions): Promise<api.Rebase> {
    return this.#transport.json(is.rebase, post(headPath(head, 'rebase')), options);
  }

  /** Gives the move up; the head stays as it is. */
  async giveUpRebase(head: string, options?: CallOptions): Promise<api.Rebase> {
    return this.#transport.json(is.rebase, remove(headPath(head, 'rebase')), options);
  }

  /** Predictions that a person should look at, those whose label would help most first. */
  async review(head: string, options?: CallOptions): Promise<api.ReviewItem[]> {
    return (await this.#transport.json(is.reviewQueue, get(headPath(head, 'review')), options)).items;
  }

  /** The right label of a prediction makes it an example; null takes it off the queue. */
  async feedback(head: string, feedback: api.Feedback, options?: CallOptions): Promise<void> {
    await this.#transport.send(post(headPath(head, 'feedback'), feedback), options);
  }

  /** @param days how many, today the last; 30 where absent. */
  async usage({ days, ...options }: CallOptions & { readonly days?: number } = {}): Promise<api.Usage> {
    return this.#transport.json(is.usage, get('v1/usage', { days }), options);
  }

  async listKeys(options?: CallOptions): Promise<api.KeySummary[]> {
    return (await this.#transport.json(is.keyList, get('v1/keys'), options)).keys;
  }

  /** The key itself is in this answer and never again. Not repeated: a second arrival would make a second key. */
  async createKey(
    name: string,
    scopes: readonly api.Scope[],
    options?: CallOptions,
  ): Promise<api.KeyCreated> {
    return this.#transport.json(is.keyCreated, once('v1/keys', { name, scopes }), options);
  }

  /** A new key with the same name and scopes; the old one stops here at once, everywhere within 60 s. Not repeated. */
  async rotateKey(id: string, options?: CallOptions): Promise<api.KeyCreated> {
    return this.#transport.json(is.keyCreated, once(`v1/keys/${encodeURIComponent(id)}/rotate`), options);
  }

  /** Revoked here at once, everywhere within 60 s. */
  async revokeKey(id: string, options?: CallOptions): Promise<void> {
    await this.#transport.send(remove(`v1/keys/${encodeURIComponent(id)}`), options);
  }
}
