/**
 * Every program of every page is run in the order of its page, on a real Worker and real photos. JSON behind a program names
 * fields that the program's answer has. What cannot be run here is listed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';
import { root } from '../../../scripts/build/stale.ts';
import { photos } from '../photos.ts';
import { skipped } from '../skipped.ts';
import { runPage, type PageRun } from './page-run.ts';
import { pages } from './pages.ts';
import { isProgram, isRun, nameOf, snippetsOf, type Snippet } from './snippets.ts';

/** As the pages write it. */
const ADMIN_SECRET = 'secret';
/** Heads that the pages use, each with its labels. */
const HEADS = { recycling: ['glass', 'metal', 'paper'], 'resnet-50': ['glass', 'metal'] };
const PHOTOS_A_CLASS = 4;

let worker: LocalWorker;
let folder: string;
beforeAll(async () => {
  worker = await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET });
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache/pages-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await worker.close();
});

const snippets = pages().flatMap(snippetsOf);
const leftOut = snippets.filter((snippet) => isProgram(snippet) && !isRun(snippet));
const run = new Set(snippets.filter(isRun).map(({ page }) => page));

it.each([...run])('%s', async (page) => {
  const key = await newTenant();
  const place = mkdtempSync(join(folder, `${basename(page, '.md')}-`));
  const ran = await runPage(page, {
    url: worker.url.origin,
    key,
    folder: place,
    cache: join(folder, 'cache'),
  });
  expect(ran.failure).toBeUndefined();
  expect(inventedFields(page, ran)).toEqual([]);
});

it('leaves out only what needs an account or has a test elsewhere', () => {
  skipped(`programs of the pages that are not run:\n${leftOut.map((it) => `  ${nameOf(it)}\n`).join('')}`);
  expect(leftOut.length).toBeLessThan(snippets.filter(isProgram).length / 4);
});

/** Names in the JSON of a page that the answer before it does not hold. */
function inventedFields(page: string, { outputs }: PageRun): string[] {
  const found: string[] = [];
  let before: Snippet | undefined;
  for (const snippet of snippets.filter((it) => it.page === page)) {
    const output = snippet.language === 'json' && before !== undefined ? outputs.get(before) : undefined;
    if (output !== undefined)
      for (const [, name] of snippet.code.matchAll(/"([a-z_0-9]+)" ?:/g))
        if (!output.includes(`"${name}":`)) found.push(`${nameOf(snippet)}: ${name}`);
    before = snippet;
  }
  return found;
}

async function post(path: string, token: string, init: RequestInit): Promise<unknown> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(new URL(path, worker.url), { ...init, headers, method: 'POST' });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** @returns the key of a tenant with the heads that pages use. */
async function newTenant(): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const made = await post('/v1/tenants', ADMIN_SECRET, { headers, body: '{"name": "a reader"}' });
  const { key } = z.object({ key: z.string() }).parse(made);
  for (const [head, labels] of Object.entries(HEADS)) {
    const form = new FormData();
    for (const label of labels)
      for (const path of photos('train', label, PHOTOS_A_CLASS))
        form.append(label, new File([readFileSync(path)], basename(path)));
    await post(`/v1/heads/${head}/teach`, key, { body: form });
  }
  return key;
}
