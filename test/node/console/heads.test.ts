/** Working with heads that are there, in a real browser: try, explain, roll back, keys, delete. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalWorker } from '../../../scripts/local-worker.ts';
import { HeadwaterClient } from '../../../sdk/client.ts';
import { parseMethod, readHead, writeHead } from '../../../src/head/index.ts';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { drop, newTenant, photos, signIn, startTestHost, teach } from './test-host.ts';

const HEAD = 'bin';

describe.skipIf(withoutBrowser())('a user', () => {
  let worker: LocalWorker;
  let browser: Browser;
  let page: Page;
  let key: string;

  beforeAll(async () => {
    [worker, browser] = await Promise.all([startTestHost(), launchBrowser()]);
    key = await newTenant(worker.url);
    await teach(worker.url, key, HEAD, {
      glass: photos('train', 'glass', 6),
      paper: photos('train', 'paper', 6),
    });
    // The last bottle is called paper by mistake.
    const bottles = photos('train', 'glass', 13);
    await teach(worker.url, key, HEAD, {
      glass: bottles.slice(0, 12),
      paper: [...photos('train', 'paper', 12), bottles[12]],
    });
    page = await browser.newPage();
    await signIn(page, worker.url, key);
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.close();
  });

  test('opens a head, even when its metrics arrive during the click', async () => {
    const described = Promise.withResolvers<void>();
    await page.route(`**/v1/heads/${HEAD}`, async (route) => {
      await described.promise;
      await route.continue();
    });
    await page.reload();
    const card = page.getByRole('link', { name: HEAD });
    await card.hover();
    await page.mouse.down();
    described.resolve();
    await card.getByText('25 examples').waitFor();
    await page.mouse.up();
    await page.getByRole('heading', { name: HEAD, level: 1 }).waitFor();
    await page.unroute(`**/v1/heads/${HEAD}`);
  });

  test('tries a photo that the head has not seen, and sees what spoke for each label', async () => {
    await page.getByRole('link', { name: 'Try it' }).click();
    await drop(page, '[aria-label="Picture to try"]', photos('test', 'glass', 1));
    await page.getByText('glass', { exact: true }).first().waitFor();
    await page.getByRole('img', { name: /^Heat-map: what spoke for glass\. Most of it at the / }).waitFor();
    await page.getByRole('button', { name: 'paper' }).click();
    await page.getByRole('img', { name: /^Heat-map: what spoke for paper\./ }).waitFor();
  });

  test('watches the webcam classified live, and stops it', async () => {
    await page.getByRole('button', { name: 'Webcam' }).click();
    await page.getByText('640 × 480 JPEG').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.locator('video').waitFor({ state: 'detached' });
  });

  test('reads how the examples were held out', async () => {
    await page.getByRole('link', { name: 'Quality' }).click();
    await page.getByText('By leave-one-out: each of the 25 examples').waitFor();
    const client = new HeadwaterClient({ url: worker.url, key });
    const file = await (await client.downloadVersion(HEAD, 2)).arrayBuffer();
    const head = readHead(new Uint8Array(file));
    const training = { ...head.training, method: parseMethod('fine-tune from b3, ridge-dual, 4-fold') };
    await client.putHead('tuned', new Uint8Array(writeHead({ ...head, training })));
    const other = await browser.newPage();
    await signIn(other, worker.url, key);
    await other.getByRole('link', { name: 'tuned' }).click();
    await other.getByRole('link', { name: 'Quality' }).click();
    await other.getByText('Held out in 4 folds: each of the 25 examples').waitFor();
    await other.close();
    await client.deleteHead('tuned');
  });

  test('puts a wrong label right with a click', async () => {
    await page.getByRole('link', { name: 'Quality' }).click();
    const wrong = page.getByRole('listitem').filter({ hasText: 'Taught as paper, looks like glass' });
    await wrong.first().getByRole('button', { name: 'It is glass' }).click();
    await page.getByText('version 3', { exact: true }).waitFor();
    await page.getByRole('rowheader', { name: 'glass' }).first().waitFor();
    await page.getByRole('row', { name: /^glass 13 \d+ %/ }).waitFor();
  });

  test('says what an unclear picture was, which becomes an example', async () => {
    await page.getByRole('link', { name: 'Review' }).click();
    await page.getByText('Nothing to review').waitFor();
    const chosen = page.waitForResponse((response) => response.request().method() === 'PUT');
    await page.getByLabel('Capture').check();
    await chosen;
    const client = new HeadwaterClient({ url: worker.url, key });
    // Of classes that the head does not know: some of them leave it unsure.
    for (const { path } of [...photos('test', 'plastic', 15), ...photos('test', 'metal', 15)]) {
      await client.classify(HEAD, { bytes: new Uint8Array(readFileSync(path)), type: 'image/jpeg' });
    }
    await expect.poll(async () => (await client.review(HEAD)).length).toBeGreaterThan(0);
    await page.reload();
    await page.getByLabel('What it is').first().selectOption('paper');
    await page.getByRole('button', { name: 'Teach', exact: true }).first().click();
    await page.getByText('version 4', { exact: true }).waitFor();
  });

  test('lets a version answer a part of the requests, and ends that', async () => {
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('button', { name: 'Canary version 1' }).click();
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByText('canary 10 %', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'End the canary' }).click();
    await page.getByText('canary 10 %', { exact: true }).waitFor({ state: 'detached' });
  });

  test('goes back to the version before', async () => {
    await page.getByRole('link', { name: 'Versions' }).click();
    await page.getByRole('region', { name: 'Comparison' }).waitFor();
    await page.getByRole('button', { name: 'Use version 1' }).click();
    await page.getByRole('button', { name: 'Use version 4' }).waitFor();
    await page.locator('.badge').getByText('version 1').waitFor();
  });

  test('finds programs to paste that name this Worker and head', async () => {
    await page.getByRole('link', { name: 'Use it' }).click();
    for (const language of ['curl', 'JavaScript', 'Python']) {
      await page.getByText(language, { exact: true }).click();
      const program = page.getByRole('region', { name: 'Program that classifies a picture' });
      expect(await program.innerText()).toContain(`${worker.url.origin}/v1/heads/${HEAD}/classify`);
    }
  });

  test('makes a key, which is shown once, and revokes it', async () => {
    await page.getByRole('link', { name: 'Keys' }).click();
    await page.getByRole('button', { name: 'New key' }).click();
    await page.getByLabel('Name').fill('gate');
    await page.getByRole('button', { name: 'Make the key' }).click();
    const made = await page.getByRole('region', { name: 'API key' }).innerText();
    expect(made).toMatch(/^hw_/);
    await page.getByRole('button', { name: 'Done' }).click();
    expect(await page.getByText(made).count()).toBe(0);
    await page.getByRole('button', { name: 'Revoke gate' }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('revoked', { exact: true }).waitFor();
    const answer = await fetch(new URL('/v1/heads', worker.url), {
      headers: { authorization: `Bearer ${made}` },
    });
    expect(answer.status).toBe(401);
  });

  test('deletes the head', async () => {
    await page.goto(new URL(`#/heads/${HEAD}/versions`, worker.url).href);
    await page.getByRole('button', { name: `Delete ${HEAD}` }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('No heads yet').waitFor();
  });
});
