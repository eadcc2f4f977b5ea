/** Moving a head to the default backbone in a real browser, with a Worker's answers as a later deployment gives them. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import type { LocalWorker } from '../../../scripts/local-worker.ts';
import { newTenant, photos, signIn, startTestHost, teach } from './test-host.ts';

const HEAD = 'bin';
const metrics = (accuracy: number) => ({ examples: 40, accuracy, log_loss: 0.3 });
const judged = (version: number, accuracy: number) => ({ version, leave_one_out: metrics(accuracy) });
const at = (state: string, done: number, more: object = {}) => ({
  head: HEAD,
  state,
  to: { name: 'later', version: '2', weights_sha256: 'f', code_length: 9 },
  total: 40,
  done,
  missing_pictures: 0,
  ...more,
});
const DONE = at('done', 40, { before: judged(1, 0.8), after: judged(2, 0.875) });

describe.skipIf(withoutBrowser())('a head on an older backbone', () => {
  let worker: LocalWorker;
  let browser: Browser;
  let page: Page;
  let key: string;
  /** What the Worker answers next, by method; the last of each stays. */
  let answers: Record<string, object[]> = {};
  const methods: string[] = [];

  beforeAll(async () => {
    [worker, browser] = await Promise.all([startTestHost(), launchBrowser()]);
    key = await newTenant(worker.url);
    await teach(worker.url, key, HEAD, {
      glass: photos('train', 'glass', 3),
      paper: photos('train', 'paper', 3),
    });
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.close();
  });

  async function open(its: Record<string, object[]>): Promise<void> {
    answers = its;
    page = await browser.newPage();
    await page.route('**/rebase', async (route) => {
      const method = route.request().method();
      methods.push(method);
      const left = answers[method];
      const json = left.length > 1 ? left.shift() : left[0];
      await route.fulfill({ json });
    });
    await signIn(page, worker.url, key);
    await page.getByRole('link', { name: HEAD }).click();
    await page.getByRole('heading', { name: HEAD, level: 1 }).waitFor();
  }

  test('is moved with a button, and shows both accuracies', async () => {
    await open({ GET: [at('not_begun', 0)], POST: [at('under_way', 32), at('under_way', 40), DONE] });
    await page.getByText('Made on an older backbone.').waitFor();
    answers['GET'] = [DONE];
    await page.getByRole('button', { name: 'Move it' }).click();
    await page.getByText('Accuracy before: 80.0 %. Now: 87.5 %.').waitFor();
    expect(methods.filter((method) => method === 'POST')).toHaveLength(3);
  });

  test('that was begun shows how far it is, and can be given up', async () => {
    await open({ GET: [at('under_way', 8)], DELETE: [at('not_begun', 0)] });
    await page.getByText('8 of 40 pictures looked at').waitFor();
    expect(await page.getByRole('progressbar', { name: 'Moving' }).getAttribute('aria-valuenow')).toBe('8');
    answers['GET'] = [at('not_begun', 0)];
    await page.getByRole('button', { name: 'Give up' }).click();
    await page.getByRole('button', { name: 'Move it' }).waitFor();
  });

  test('without its pictures says what is missing', async () => {
    await open({ GET: [at('not_begun', 0, { missing_pictures: 4, obstacle: 'x' })] });
    await page.getByText('4 of its 40 examples have no picture here.').waitFor();
    expect(await page.getByRole('button', { name: 'Move it' }).count()).toBe(0);
  });

  test('says nothing where it is there already', async () => {
    await open({ GET: [DONE] });
    await page.getByRole('link', { name: 'Quality' }).waitFor();
    expect(await page.getByText('Made on an older backbone.').count()).toBe(0);
  });
});
