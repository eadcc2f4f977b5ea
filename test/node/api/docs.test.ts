/** /docs in a real browser, cut off from every other host: every operation is shown, and nothing is refused. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Browser } from 'playwright-core';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { TestHost } from '../protocols/test-host.ts';
import { Document } from './generator.ts';

describe('/docs', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await TestHost.open();
  });
  afterAll(() => host.close());

  it('is served with its files, under a policy of its own', async () => {
    const page = await fetch(host.address('/docs'));
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'; script-src 'self';");
    expect(policy).not.toContain('https:');
    const files = [...(await page.text()).matchAll(/(?:src|href)="(\/docs\/[^"]+)"/g)].map(
      ([, file]) => file,
    );
    expect(files).toHaveLength(4);
    for (const file of files) expect((await fetch(host.address(file))).status, file).toBe(200);
  });

  describe.skipIf(withoutBrowser())('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser?.close());

    it('shows every operation, offline', async () => {
      const page = await browser.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      const external: string[] = [];
      await page.route('**/*', (route) => {
        const { origin, href } = new URL(route.request().url());
        if (origin === host.url.origin || href.startsWith('data:')) return route.continue();
        external.push(href);
        return route.abort();
      });
      await page.goto(host.address('/docs'));
      await page.locator('.opblock').first().waitFor();
      const document = Document.parse(await (await fetch(host.address('/openapi.json'))).json());
      const operations = Object.values(document.paths).flatMap((methods) => Object.keys(methods));
      expect(await page.locator('.opblock').count()).toBe(operations.length);
      await page.locator('.opblock', { hasText: '/healthz' }).click();
      await page.getByRole('button', { name: 'Try it out' }).click();
      await page.getByRole('button', { name: 'Execute' }).click();
      await page.locator('.live-responses-table', { hasText: '"status": "ok"' }).waitFor();
      expect({ complaints, external }).toEqual({ complaints: [], external: [] });
      await page.close();
    });
  });
});
