/** What the console does to pictures before it sends them, in a real browser: upright, small, JPEG. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LocalWorker } from '../../../scripts/local-worker.ts';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { newTenant, signIn, startTestHost } from './test-host.ts';

/** EXIF that says only: turn by 90° clockwise (orientation 6). */
const TURNED = Buffer.from('ffe1002245786966000049492a0008000000010012010300010000000600000000000000', 'hex');

describe.skipIf(withoutBrowser())('pictures', () => {
  let worker: LocalWorker;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [worker, browser] = await Promise.all([startTestHost(), launchBrowser()]);
    // The page's policy would not let the test read what is about to be sent.
    page = await browser.newPage({ bypassCSP: true });
    await signIn(page, worker.url, await newTenant(worker.url));
    await page.goto(new URL('#/heads/new', worker.url).href);
    await page.getByLabel('First class').fill('a class');
    await page.keyboard.press('Enter');
  });
  afterAll(async () => {
    await browser?.close();
    await worker?.close();
  });

  test('a large one becomes a JPEG whose shorter side has 480 pixels', async () => {
    await pick('large.png', await picture(2000, 1000, 'image/png'), 'image/png');
    expect(await lastThumbnail()).toEqual({
      name: 'Remove large.jpg',
      width: 960,
      height: 480,
      type: 'image/jpeg',
    });
  });

  test('one that lies on its side is turned upright', async () => {
    const jpeg = await picture(1600, 1200, 'image/jpeg');
    const turned = Buffer.concat([jpeg.subarray(0, 2), TURNED, jpeg.subarray(2)]);
    await pick('turned.jpg', turned, 'image/jpeg');
    expect(await lastThumbnail()).toMatchObject({ width: 480, height: 640, type: 'image/jpeg' });
  });

  test('a small one is sent as it is', async () => {
    await pick('small.webp', await picture(300, 200, 'image/webp'), 'image/webp');
    expect(await lastThumbnail()).toMatchObject({
      name: 'Remove small.webp',
      width: 300,
      type: 'image/webp',
    });
  });

  test('what is no picture is said so, and the others are kept', async () => {
    const before = await page.locator('.thumb').count();
    await page.locator('input[type=file]').setInputFiles([
      { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('not a picture') },
      { name: 'fine.png', mimeType: 'image/png', buffer: await picture(40, 40, 'image/png') },
    ]);
    await page.getByText('notes.png is not a picture that this browser can read.').waitFor();
    await page.getByRole('button', { name: 'Remove fine.png' }).waitFor();
    expect(await page.locator('.thumb').count()).toBe(before + 1);
  });

  test('pasted ones go to the class that was touched last', async () => {
    await page.getByRole('button', { name: 'Webcam: a class' }).focus();
    const bytes = [...(await picture(50, 40, 'image/png'))];
    await page.evaluate((given) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([new Uint8Array(given)], 'pasted.png', { type: 'image/png' }));
      document.dispatchEvent(new ClipboardEvent('paste', { clipboardData }));
    }, bytes);
    await page.getByRole('button', { name: 'Remove pasted.png' }).waitFor();
  });

  test('the webcam records for as long as a key is held', async () => {
    await page.getByRole('button', { name: 'Webcam: a class' }).click();
    const record = page.getByRole('button', { name: 'Hold to record' });
    await expect.poll(() => record.isEnabled()).toBe(true);
    await record.focus();
    await page.keyboard.down('Space');
    await page.getByText(/[3-9] pictures taken/).waitFor();
    await page.keyboard.up('Space');
    await record.waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    expect(await lastThumbnail()).toMatchObject({ width: 640, height: 480, type: 'image/jpeg' });
  });

  async function pick(name: string, buffer: Buffer, mimeType: string): Promise<void> {
    await page.locator('input[type=file]').setInputFiles([{ name, mimeType, buffer }]);
    await page.getByRole('button', { name: `Remove ${name.split('.')[0]}` }).waitFor();
  }

  async function lastThumbnail(): Promise<unknown> {
    return page
      .locator('.thumb')
      .last()
      .evaluate(async (button) => {
        const image = button.querySelector('img');
        if (image === null) return undefined;
        await image.decode();
        const { type } = await (await fetch(image.src)).blob();
        const { naturalWidth: width, naturalHeight: height } = image;
        return { name: button.getAttribute('aria-label'), width, height, type };
      });
  }

  /** Made by the browser itself, so that the test needs no files. */
  async function picture(width: number, height: number, type: string): Promise<Buffer> {
    const bytes = await page.evaluate(
      async (wanted) => {
        const canvas = new OffscreenCanvas(wanted.width, wanted.height);
        const context = canvas.getContext('2d');
        context?.fillRect(0, 0, wanted.width / 2, wanted.height);
        const blob = await canvas.convertToBlob({ type: wanted.type });
        return [...new Uint8Array(await blob.arrayBuffer())];
      },
      { width, height, type },
    );
    return Buffer.from(bytes);
  }
});
