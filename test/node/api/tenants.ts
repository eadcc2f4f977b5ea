/** Tenants for random requests: each with heads, examples, a named version, a prediction to review, and a spare tenant beside. */
import { z } from 'zod';
import { ADMIN_SECRET, headFile, picture, type TestHost } from '../protocols/test-host.ts';
import { OTHER } from './secrets.ts';

export const HEAD = 'pets';
export const TAUGHT = 'taught';
export const LABELS = ['tabby', 'poodle'];
export const BATCHES = [
  ['tabby', 'progressive.jpg'],
  ['tabby', 'grey.jpg'],
  ['poodle', 'rgb.png'],
  ['poodle', 'lossy.webp'],
] as const;
/** Unlike the batches, so that the head is unsure of it. */
const UNKNOWN = 'bit1.png';

const Examples = z.object({ examples: z.array(z.object({ id: z.string() })).min(1) });
const Review = z.object({ items: z.array(z.object({ id: z.string() })).min(1) });
const Created = z.object({ id: z.string(), key: z.string() });

export interface Tenant {
  readonly key: string;
  /** What requests may name by id: a key, an example, a prediction to review, the spare tenant. */
  readonly ids: readonly string[];
  readonly example: string;
  /** A tenant that never had a head, to restore into and to delete. */
  readonly spareKey: string;
  /** All keys of both. */
  readonly keys: readonly string[];
}

export class Tenants {
  readonly #host: TestHost;
  readonly #file: Uint8Array<ArrayBuffer>;
  readonly #versionName: string;

  private constructor(host: TestHost, file: Uint8Array<ArrayBuffer>, versionName: string) {
    this.#host = host;
    this.#file = file;
    this.#versionName = versionName;
  }

  /** @param versionName that requests may name. */
  static async prepare(host: TestHost, versionName: string): Promise<Tenants> {
    return new Tenants(host, await headFile(LABELS), versionName);
  }

  /** A head file, as it is uploaded. */
  get file(): Uint8Array<ArrayBuffer> {
    return this.#file;
  }

  async next(): Promise<Tenant> {
    const { key } = await this.#create('a tenant');
    const spare = await this.#create('a spare');
    const keyMade = await this.#json(key, 'POST', '/v1/keys', { name: 'spare', scopes: ['read'] });
    await this.#json(key, 'PUT', '/v1/settings', { keep_images: true });
    await this.#host.call(key, `/v1/heads/${HEAD}`, { method: 'PUT', body: this.#file });
    await this.#json(key, 'PUT', `/v1/heads/${HEAD}/names/${this.#versionName}`, { version: 1 });
    // Two versions, so that there is one to go back to and to delete.
    await this.#teach(key, BATCHES.slice(0, -1));
    await this.#teach(key, BATCHES.slice(-1));
    const { examples } = Examples.parse(await this.#host.call(key, `/v1/heads/${TAUGHT}/examples`));
    const review = await this.#review(key);
    // Twice, since a prediction can be named by fewer requests than the others.
    const { id: keyId, key: readKey } = Created.parse(keyMade);
    const [{ id: example }] = examples;
    const ids = [keyId, example, spare.id, review, review];
    return { key, spareKey: spare.key, keys: [key, spare.key, readKey], ids, example };
  }

  /** All of a tenant's, as a file to restore from. */
  async backup({ key }: Tenant): Promise<Uint8Array<ArrayBuffer>> {
    const response = await this.#host.request(key, '/v1/backup');
    return new Uint8Array(await response.arrayBuffer());
  }

  /** Somebody else's tenant, with a head and labels of its own. @returns its key. */
  async other(): Promise<string> {
    const { key } = await this.#create(OTHER.tenant);
    const form = new FormData();
    for (const [i, [, name]] of BATCHES.entries())
      form.append(OTHER.labels[i >> 1], new Blob([picture(name)]), name);
    await this.#host.call(key, `/v1/heads/${OTHER.head}/teach`, { method: 'POST', body: form });
    return key;
  }

  async #teach(key: string, batches: readonly (typeof BATCHES)[number][]): Promise<void> {
    const form = new FormData();
    for (const [label, name] of batches) form.append(label, new Blob([picture(name)]), name);
    await this.#host.call(key, `/v1/heads/${TAUGHT}/teach`, { method: 'POST', body: form });
  }

  /** @returns the id of a prediction that waits for review. */
  async #review(key: string): Promise<string> {
    await this.#json(key, 'PUT', `/v1/heads/${TAUGHT}/settings`, { capture: true });
    const path = `/v1/heads/${TAUGHT}`;
    await this.#host.call(key, `${path}/classify`, { method: 'POST', body: picture(UNKNOWN) });
    for (let attempt = 1; ; attempt++) {
      const queue = Review.safeParse(await this.#host.call(key, `${path}/review`));
      if (queue.success) return queue.data.items[0].id;
      if (attempt === 50) throw new Error('The unknown image was not captured.');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #create(name: string): Promise<z.infer<typeof Created>> {
    return Created.parse(await this.#json(ADMIN_SECRET, 'POST', '/v1/tenants', { name }));
  }

  #json(key: string, method: string, path: string, body: unknown): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    return this.#host.call(key, path, { method, headers, body: JSON.stringify(body) });
  }
}
