/** The built Worker on local workerd, a tenant in it, and heads and pictures for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { root } from '../../../scripts/build/stale.ts';
import { DEFAULT_INPUT } from '../../../src/backbone/defaults.ts';
import { spaceOfPlan, writeHead } from '../../../src/head/index.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { liteBackbone } from '../backbone/files.ts';
import { linalg } from '../learn/linalg.ts';

export const ADMIN_SECRET = 'the admin secret of the tests';

export class TestHost {
  readonly url: URL;
  readonly #worker: LocalWorker;

  constructor(worker: LocalWorker) {
    this.#worker = worker;
    this.url = worker.url;
  }

  /** @param onLog hears each line that the Worker logs. */
  static async open(onLog: (line: string) => void = () => {}): Promise<TestHost> {
    return new TestHost(await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET, onLog }));
  }

  address(path: string): string {
    return new URL(path, this.url).href;
  }

  close(): Promise<void> {
    return this.#worker.close();
  }

  /** @returns the key of a tenant of its own. */
  async newTenant(): Promise<string> {
    const response = await fetch(this.address('/v1/tenants'), {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'a tenant' }),
    });
    return z.object({ key: z.string() }).parse(await response.json()).key;
  }

  /** @param admin a key that may make others. */
  async newKey(admin: string, scopes: string[]): Promise<string> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'a key', scopes });
    const made = await this.call(admin, '/v1/keys', { method: 'POST', headers, body });
    return z.object({ key: z.string() }).parse(made).key;
  }

  /** What the Worker answers, as JSON. @throws Error with the answer where it is none of success. */
  async call(key: string, path: string, init: RequestInit = {}): Promise<unknown> {
    const response = await this.request(key, path, init);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  request(key: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${key}`);
    return fetch(this.address(path), { ...init, headers });
  }

  async putHead(key: string, name: string, labels: string[]): Promise<void> {
    const body = await headFile(labels);
    await this.call(key, `/v1/heads/${name}`, { method: 'PUT', body });
  }
}

/** A head that classifies real codes, trained on made-up ones. */
export async function headFile(labels: string[], seed = 1): Promise<Uint8Array<ArrayBuffer>> {
  const { plan } = liteBackbone();
  const { weightsSha256: _hash, codeLength, ...space } = spaceOfPlan(plan, DEFAULT_INPUT);
  const each = 3;
  const n = labels.length * each;
  let state = seed;
  const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  const head = await trainHead(
    {
      backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
      ...space,
      labels,
      codes: Float16Array.from({ length: n * codeLength }, random),
      targets: Uint16Array.from({ length: n }, (_, i) => Math.floor(i / each)),
    },
    { linalg },
  );
  return new Uint8Array(writeHead(head));
}

/** Some small pictures that the repository holds. */
export function picture(name = 'progressive.jpg'): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(root, 'test/fixtures/images', name)));
}
