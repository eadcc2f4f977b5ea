/** What the console's tests stand on: the real Worker with the built console, a tenant, real photos. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { root } from '../../../scripts/stale.ts';
import { writeHead } from '../../../src/head/index.ts';
import { trainHead } from '../../../src/learn/train.ts';

const ADMIN_SECRET = 'a secret for tests of the console';
const PHOTOS = join(root, '../shared/data/trashnet');

/** Whether to skip the tests that need real photos, saying so. */
export function withoutPhotos(): boolean {
  if (existsSync(PHOTOS)) return false;
  console.warn('Skipped: ../shared/data/trashnet is not here.');
  return true;
}

export interface Photo {
  readonly name: string;
  readonly path: string;
}

/** The first `count` photos of a class, by name. */
export function photos(split: 'train' | 'test', label: string, count: number): Photo[] {
  const folder = join(PHOTOS, split, label);
  return readdirSync(folder)
    .sort()
    .slice(0, count)
    .map((name) => ({ name, path: join(folder, name) }));
}

/** On stores in memory. */
export async function startHouse(): Promise<LocalWorker> {
  for (const file of ['build/worker/index.js', 'build/console/index.html']) {
    if (!existsSync(join(root, file))) throw new Error(`${file} is missing: run 'npm run build' first.`);
  }
  return startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET });
}

/** @returns the first key of a new tenant. */
export async function newTenant(url: URL): Promise<string> {
  const response = await fetch(new URL('/v1/tenants', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_SECRET}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Console' }),
  });
  const tenant: unknown = await response.json();
  if (typeof tenant === 'object' && tenant !== null && 'key' in tenant && typeof tenant.key === 'string') {
    return tenant.key;
  }
  throw new Error(`No tenant was made: ${response.status} ${JSON.stringify(tenant)}`);
}

/** A head made in this process from codes of the Worker's, for tests that are about something else than teaching. */
export async function storeHead(
  url: URL,
  key: string,
  head: string,
  examples: Readonly<Record<string, readonly Photo[]>>,
): Promise<void> {
  const authorization = `Bearer ${key}`;
  const form = new FormData();
  for (const { name, path } of Object.values(examples).flat()) {
    form.append('image', new Blob([readFileSync(path)]), name);
  }
  const embedded = await fetch(new URL('/v1/embed', url), {
    method: 'POST',
    headers: { authorization },
    body: form,
  });
  const { backbone, embeddings } = Embedded.parse(await embedded.json());
  const plan = Plan.parse(JSON.parse(readFileSync(join(root, 'build/backbone/plan.json'), 'utf8')));
  const trained = await trainHead({
    backbone: { name: backbone.name, version: backbone.version, weightsSha256: backbone.weights_sha256 },
    taps: plan.taps.map(({ name }) => name),
    labels: Object.keys(examples),
    codes: Float16Array.from(embeddings.flatMap(({ code }) => code)),
    targets: Uint16Array.from(Object.values(examples).flatMap((files, i) => files.map(() => i))),
  });
  const body = new Uint8Array(writeHead(trained));
  const headers = { authorization, 'content-type': 'application/octet-stream' };
  const stored = await fetch(new URL(`/v1/heads/${head}`, url), { method: 'PUT', headers, body });
  if (!stored.ok) throw new Error(`The head was not stored: ${stored.status} ${await stored.text()}`);
}

const Embedded = z.object({
  backbone: z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() }),
  embeddings: z.array(z.object({ code: z.array(z.number()) })),
});
const Plan = z.object({ taps: z.array(z.object({ name: z.string() })) });

export async function signIn(page: Page, url: URL, key: string): Promise<void> {
  await page.goto(url.href);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Heads', exact: true }).waitFor();
}

/** Drops files on an element as a user would who drags them there from a folder. */
export async function drop(page: Page, target: string, files: readonly Photo[]): Promise<void> {
  const contents = files.map(({ name, path }) => ({ name, base64: readFileSync(path).toString('base64') }));
  const transfer = await page.evaluateHandle((given) => {
    const data = new DataTransfer();
    for (const { name, base64 } of given) {
      data.items.add(new File([Uint8Array.fromBase64(base64)], name, { type: 'image/jpeg' }));
    }
    return data;
  }, contents);
  for (const event of ['dragenter', 'dragover', 'drop']) {
    await page.dispatchEvent(target, event, { dataTransfer: transfer });
  }
}
