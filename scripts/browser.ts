/** A real browser for tests and screenshots, where the machine has one. */
import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Path of the browser; HEADWATER_BROWSER goes before the usual places. */
const browserPath = [process.env['HEADWATER_BROWSER'] ?? '', ...PLACES].find(existsSync);

const MISSING = 'No browser was found: install Chromium, or name one in HEADWATER_BROWSER.';

/**
 * Whether to skip the tests that need a browser, saying so.
 * @throws Error where HEADWATER_REQUIRE_BROWSER=1 forbids that.
 */
export function withoutBrowser(): boolean {
  if (browserPath !== undefined) return false;
  if (process.env['HEADWATER_REQUIRE_BROWSER'] === '1') throw new Error(MISSING);
  // Not by console: vitest shows what a file logs only where one of its tests fails.
  process.stderr.write(`Skipped: ${MISSING}\n`);
  return true;
}

/** Its camera is a test pattern, and using it needs no click. */
export async function launchBrowser(): Promise<Browser> {
  if (browserPath === undefined) throw new Error(MISSING);
  return chromium.launch({
    executablePath: browserPath,
    args: ['--no-sandbox', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'],
  });
}
