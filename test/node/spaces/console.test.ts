/** The console in a real browser, with heads of two backbones and two sizes: tried, explained, taught, moved. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { Classification, Rebase } from '../../../src/api/index.ts';
import { drop, photos, signIn } from '../console/test-host.ts';
import { callJson, HEADS, openThreeSpaces, SPACES, type HeadName, type ThreeSpaces } from './three-spaces.ts';

const OLDER = 'Made on an older backbone.';

describe.skipIf(withoutBrowser())('a user of the console', () => {
  let folder: string;
  let here: ThreeSpaces;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'headwater-test-'));
    [here, browser] = await Promise.all([openThreeSpaces(folder), launchBrowser()]);
    page = await browser.newPage();
    await signIn(page, here.worker.url, here.key);
  });
  afterAll(async () => {
    await browser?.close();
    await here?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(head: HeadName): Promise<void> {
    await page.getByRole('link', { name: 'Heads', exact: true }).click();
    await page.getByRole('link', { name: head }).click();
    await page.getByRole('heading', { name: head, level: 1 }).waitFor();
  }

  test.each(HEADS)(
    'tries a photo with %s, and shows what the API answers and where it comes from',
    async (head) => {
      await open(head);
      await page.getByRole('link', { name: 'Try it' }).click();
      for (const photo of photos('test', 'glass', 2)) {
        await drop(page, '[aria-label="Picture to try"]', [photo]);
        await page.getByRole('img', { name: photo.name }).waitFor();
        const shown = page.getByRole('list', { name: 'Predictions' }).getByRole('listitem').first();
        const { label, score } = await top(head, photo.path);
        await expect.poll(() => shown.innerText()).toContain(label);
        await expect.poll(() => shown.innerText()).toContain((100 * score).toFixed(1));
        await page.getByRole('img', { name: `Heat-map: what spoke for ${label}` }).waitFor();
      }
    },
  );

  async function top(head: HeadName, path: string): Promise<{ label: string; score: number }> {
    const headers = { 'content-type': 'image/jpeg' };
    const init = { method: 'POST', headers, body: new Uint8Array(readFileSync(path)) };
    const answer = await callJson(here.worker, here.key, `/v1/heads/${head}/classify`, init);
    return Classification.parse(answer).predictions[0];
  }

  test.each(HEADS)('teaches %s by drop, and has the version of before beside it', async (head) => {
    await open(head);
    await page.getByRole('link', { name: 'Teach' }).click();
    await drop(page, '[aria-label="Class glass"]', photos('train', 'glass', 12).slice(10));
    await drop(page, '[aria-label="Class paper"]', photos('train', 'paper', 12).slice(10));
    await page.getByText('4 new pictures in 2 classes').waitFor();
    await page.getByRole('button', { name: 'Teach' }).click();
    await page.getByText('Version 2 is in use.').waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Use version 1' }).waitFor();
  });

  test('is told of the head on the older backbone alone, and moves it with a button', async () => {
    for (const head of ['edge', 'large'] as const) {
      await open(head);
      await page.getByRole('link', { name: 'Quality' }).waitFor();
      expect(await page.getByText(OLDER).count()).toBe(0);
    }
    await open('old');
    await page.getByText(OLDER).waitFor();
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByText(/Accuracy before: [\d.]+.%\. Now: [\d.]+.%\./).waitFor({ timeout: 120_000 });
    const progress = Rebase.parse(await callJson(here.worker, here.key, '/v1/heads/old/rebase'));
    expect(progress).toMatchObject({
      state: 'done',
      from: { name: SPACES.old.backbone },
      to: { name: SPACES.edge.backbone },
      before: { version: 2, current: false },
      after: { version: 3, current: true },
    });
  });
});
