/** A new user's first quarter of an hour, in a real browser on the real Worker. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalWorker } from '../../../scripts/local-worker.ts';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { drop, newTenant, photos, signIn, startTestHost } from './test-host.ts';

const HEAD = 'kitchen-bin';
const EXAMPLES = 12;
const TRIALS = 5;

describe.skipIf(withoutBrowser())('a new user', () => {
  let worker: LocalWorker;
  let browser: Browser;

  beforeAll(async () => {
    [worker, browser] = await Promise.all([startTestHost(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.close();
  });

  test('signs in, teaches by drop and webcam, sees the metrics, tries, rolls back and deletes', async () => {
    const page = await browser.newPage();
    await signIn(page, worker.url, await newTenant(worker.url));
    await makeHead(page);

    await addClass(page, 'glass');
    await drop(page, card('glass'), photos('train', 'glass', EXAMPLES));
    await addClass(page, 'paper');
    await drop(page, card('paper'), photos('train', 'paper', EXAMPLES));
    await page.getByText(`${2 * EXAMPLES} new pictures in 2 classes`).waitFor();
    await teachAndWait(page, 1);

    await addClass(page, 'screen');
    await recordWebcam(page, 'screen');
    await teachAndWait(page, 2);

    await page.getByRole('link', { name: 'Quality' }).click();
    await page
      .getByRole('img', { name: /^Accuracy [\d.]+.%, 95/ })
      .first()
      .waitFor();
    await expectClasses(page, ['glass', 'paper', 'screen']);
    await page.getByRole('region', { name: 'Confusion matrix' }).waitFor();
    await page.getByRole('img', { name: /^Reliability diagram/ }).waitFor();

    await page.getByRole('link', { name: 'Try it' }).click();
    expect(await shareRight(page, 'glass')).toBeGreaterThanOrEqual(0.8);

    await rollBack(page);
    await removeHead(page);
    await page.close();
  });
});

function card(label: string): string {
  return `[aria-label="Class ${label}"]`;
}

async function makeHead(page: Page): Promise<void> {
  await page.getByText('No heads yet').waitFor();
  await page.getByRole('button', { name: 'New head' }).click();
  await page.getByLabel('Name').fill(HEAD);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: HEAD }).waitFor();
}

async function addClass(page: Page, label: string): Promise<void> {
  await page.getByLabel(/^(First|Another) class$/).fill(label);
  await page.keyboard.press('Enter');
  await page.locator(card(label)).waitFor();
}

async function recordWebcam(page: Page, label: string): Promise<void> {
  await page.getByRole('button', { name: `Webcam: ${label}` }).click();
  const record = page.getByRole('button', { name: 'Hold to record' });
  await record.hover();
  await page.mouse.down();
  await page.getByText(/([5-9]|\d\d) pictures taken/).waitFor();
  await page.mouse.up();
  await page.getByRole('button', { name: 'Done' }).click();
}

async function teachAndWait(page: Page, version: number): Promise<void> {
  await page.getByRole('button', { name: 'Teach' }).click();
  await page.getByText(`Version ${version} is in use.`).waitFor({ timeout: 120_000 });
}

async function expectClasses(page: Page, labels: readonly string[]): Promise<void> {
  const table = page.getByRole('region', { name: 'Metrics of each class' });
  for (const label of labels) await table.getByRole('rowheader', { name: label }).waitFor();
}

/** Of photos that the head has not seen, the share that it calls by their name. */
async function shareRight(page: Page, label: string): Promise<number> {
  let right = 0;
  for (const photo of photos('test', label, TRIALS)) {
    await drop(page, '[aria-label="Picture to try"]', [photo]);
    await page.getByRole('img', { name: photo.name }).waitFor();
    const top = page.getByRole('list', { name: 'Predictions' }).getByRole('listitem').first();
    if ((await top.innerText()).startsWith(label)) right++;
    await page.getByRole('img', { name: /^Heat-map: what spoke for / }).waitFor();
  }
  return right / TRIALS;
}

async function rollBack(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Versions' }).click();
  await page.getByRole('button', { name: 'Use version 1' }).click();
  await page.getByRole('button', { name: 'Use version 2' }).waitFor();
  await page.locator('.badge').getByText('version 1').waitFor();
}

async function removeHead(page: Page): Promise<void> {
  await page.getByRole('button', { name: `Delete ${HEAD}` }).click();
  await page.getByRole('button', { name: 'Delete', exact: true }).click();
  await page.getByText('No heads yet').waitFor();
}
