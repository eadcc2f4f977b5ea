/** The host of the console tests: the real Worker with the built console, a tenant, real photos. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { root } from '../../../scripts/build/stale.ts';
import { HeadwaterClient } from '../../../sdk/client.ts';
import { photos as photoFiles } from '../photos.ts';

const ADMIN_SECRET = 'a secret for tests of the console';

export interface Photo {
  readonly name: string;
  readonly path: string;
}

/** The first `count` photos of a class, by name. */
export function photos(split: 'train' | 'test', label: string, count: number): Photo[] {
  return photoFiles(split, label, count).map((path) => ({ name: basename(path), path }));
}

/** On stores in memory. */
export async function startTestHost(): Promise<LocalWorker> {
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

/** By the API, for tests that are about something else than teaching in the page. */
export async function teach(
  url: URL,
  key: string,
  head: string,
  examples: Readonly<Record<string, readonly Photo[]>>,
): Promise<void> {
  const uploads = Object.entries(examples).flatMap(([label, files]) =>
    files.map(({ name, path }) => ({ label, name, bytes: new Uint8Array(readFileSync(path)) })),
  );
  await new HeadwaterClient({ url, key }).teach(head, uploads, { idempotencyKey: crypto.randomUUID() });
}

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
