/** The console's pages in a real browser: what a first visit transfers, that nothing is refused, that everyone can use them. */
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalWorker } from '../../../scripts/local-worker.ts';
import { MAX_FIRST_LOAD_BYTES } from '../../../scripts/build/console.ts';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { drop, newTenant, photos, signIn, startTestHost, teach } from './test-host.ts';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HEAD = 'recycling';
/** As long as a label that is taught may be, nearly: it fits nowhere as it is. */
const ODD = `<b>odd</b> "label" ${'ofmanywordsinone'.repeat(3)} ${'and then many more '.repeat(3)}`.trim();
const NOT_YET = '#/heads/not-there-yet';
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
];

describe.skipIf(withoutBrowser())('console', () => {
  let worker: LocalWorker;
  let browser: Browser;
  let key: string;

  beforeAll(async () => {
    [worker, browser] = await Promise.all([startTestHost(), launchBrowser()]);
    key = await newTenant(worker.url);
    await teach(worker.url, key, HEAD, {
      glass: photos('train', 'glass', 8),
      paper: photos('train', 'paper', 8),
      [ODD]: photos('train', 'metal', 8),
    });
    // A second version, so that there is one to compare with and to go back to.
    await teach(worker.url, key, HEAD, { glass: photos('train', 'glass', 9) });
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.close();
  });

  test('first load stays below the budget, and asks nobody else for anything', async () => {
    const page = await browser.newPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Network.enable');
    let bytes = 0;
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength));
    const origins = new Set<string>();
    page.on('request', (request) => origins.add(new URL(request.url()).origin));
    await page.goto(worker.url.href, { waitUntil: 'networkidle' });
    await page.getByLabel('API key').waitFor();
    console.log(`First load: ${bytes} bytes on the wire.`);
    expect(bytes).toBeGreaterThan(1_000);
    expect(bytes).toBeLessThan(MAX_FIRST_LOAD_BYTES);
    expect([...origins]).toEqual([worker.url.origin]);
    await page.close();
  });

  test('forbids foreign code, framing and inline scripts', async () => {
    const { headers } = await fetch(worker.url);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe-|https?:|\*/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each(['light', 'dark'] as const)(
    '%s: no serious fault of accessibility on any page, at any size',
    async (scheme) => {
      for (const viewport of SIZES) {
        // axe is put into the page by script, which the page's own policy forbids.
        const context = await browser.newContext({ viewport, colorScheme: scheme, bypassCSP: true });
        const faults = await auditAll(context, worker.url, key);
        expect(faults).toEqual([]);
        await context.close();
      }
    },
  );

  test('the audit notices a fault', async () => {
    const page = await browser.newPage({ bypassCSP: true });
    await page.goto(worker.url.href);
    await page.evaluate(() => document.body.append(document.createElement('button')));
    expect(await audit(page, 'here')).toEqual(['here: button-name at body > button']);
    await page.close();
  });

  test('runs within its own policy: nothing is refused, nothing fails', async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await signIn(page, worker.url, key);
    // A head that isn't there yet is a 404, which browsers log.
    for (const place of PLACES.filter(([hash]) => hash !== NOT_YET)) {
      await visit(page, worker.url, place);
    }
    expect(errors).toEqual([]);
    await page.close();
  });

  test('never wider than a phone', async () => {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    await signIn(page, worker.url, key);
    for (const place of PLACES) {
      await visit(page, worker.url, place);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width, place[0]).toBeLessThanOrEqual(360);
    }
    await page.close();
  });

  test('refuses a wrong key in words, and forgets the right one after signing out', async () => {
    const page = await browser.newPage();
    await page.goto(worker.url.href);
    await page.getByLabel('API key').fill('hw_nobody_0000000000000000000000000000000000000000000');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('not known here').waitFor();
    await signIn(page, worker.url, key);
    const stores = () => page.evaluate(() => [localStorage.length, sessionStorage.length, document.cookie]);
    expect(await stores()).toEqual([0, 1, '']);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('API key').waitFor();
    expect(await stores()).toEqual([0, 0, '']);
    await page.close();
  });
});

/** Where to look, and what is there once the page is whole. */
const PLACES: readonly (readonly [hash: string, shows: string])[] = [
  ['#/heads', '.head-card .meter'],
  [`#/heads/${HEAD}/teach`, '.class-card'],
  [`#/heads/${HEAD}/quality`, '.confusion'],
  [`#/heads/${HEAD}/try`, '.try-picture'],
  [`#/heads/${HEAD}/versions`, '.version-card'],
  [`#/heads/${HEAD}/use`, '.code-block'],
  [NOT_YET, '.add-class'],
  [`#/heads/${HEAD}/review`, '.empty'],
  ['#/usage', '.chart, .empty'],
  ['#/keys', '.table'],
];

async function visit(page: Page, url: URL, [hash, shows]: (typeof PLACES)[number]): Promise<void> {
  await page.goto(new URL(hash, url).href);
  await page.locator(shows).first().waitFor();
  await page.waitForLoadState('networkidle');
}

/** @returns serious and critical faults, each with its page and an element. */
async function auditAll(context: BrowserContext, url: URL, key: string): Promise<string[]> {
  const page = await context.newPage();
  await page.goto(url.href);
  const faults = await audit(page, 'sign-in');
  await signIn(page, url, key);
  for (const place of PLACES) {
    await visit(page, url, place);
    faults.push(...(await audit(page, place[0])));
  }
  await page.getByRole('button', { name: 'New key' }).click();
  faults.push(...(await audit(page, 'dialog')));
  await page.keyboard.press('Escape');
  await visit(page, url, [`#/heads/${HEAD}/try`, '.try-picture']);
  await drop(page, '[aria-label="Picture to try"]', photos('test', 'glass', 1));
  await page.locator('.verdict').waitFor();
  faults.push(...(await audit(page, 'answer')));
  return faults;
}

async function audit(page: Page, where: string): Promise<string[]> {
  await page.evaluate(AXE);
  const results: AxeResults = await page.evaluate('axe.run()');
  return results.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${where}: ${id} at ${nodes.map(({ target }) => String(target)).join(', ')}`);
}
