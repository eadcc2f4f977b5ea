/** The console's pages as a user sees them, each a way to get there and a sign that it is whole. */
import type { Page } from 'playwright-core';
import { ofEachClass } from '../demo/pictures.ts';
import { HEAD, type Fixture } from './fixture.ts';

export interface Scene {
  readonly name: string;
  /** @param page is signed in. */
  readonly show: (page: Page, fixture: Fixture) => Promise<void>;
}

const LONG = 'a class with a name that is much longer than anyone would wish for';

export const SCENES: readonly Scene[] = [
  { name: 'heads', show: at('#/heads', '.head-card :text("example")') },
  { name: 'new-head', show: dialog('#/heads', 'New head') },
  { name: 'teach', show: showTeaching },
  { name: 'teach-new', show: at('#/heads/birds-of-the-garden', '.add-class') },
  { name: 'webcam', show: showWebcam },
  { name: 'quality', show: at(`#/heads/${HEAD}/quality`, '.confusion, .notice') },
  { name: 'try-empty', show: at(`#/heads/${HEAD}/try`, '.try-picture') },
  { name: 'try', show: showAnswer },
  { name: 'versions', show: at(`#/heads/${HEAD}/versions`, '.version-card') },
  { name: 'review', show: at(`#/heads/${HEAD}/review`, '.empty, .review-item') },
  { name: 'use', show: at(`#/heads/${HEAD}/use`, '.code-block') },
  { name: 'keys', show: at('#/keys', '.table') },
  { name: 'new-key', show: dialog('#/keys', 'New key') },
  { name: 'usage', show: at('#/usage', '.chart, .empty') },
];

/** The scene of the README. */
export const ANSWER = 'try';

function at(hash: string, sign: string): Scene['show'] {
  return async (page) => {
    await page.goto(new URL(hash, page.url()).href);
    await page.locator(sign).first().waitFor();
    await page.waitForLoadState('networkidle');
  };
}

function dialog(hash: string, button: string): Scene['show'] {
  return async (page) => {
    await page.goto(new URL(hash, page.url()).href);
    await page.getByRole('button', { name: button }).first().click();
    await page.getByRole('dialog').waitFor();
  };
}

async function showTeaching(page: Page, fixture: Fixture): Promise<void> {
  await at(`#/heads/${HEAD}/teach`, '.class-card')(page, fixture);
  for (const { label, path } of ofEachClass(fixture.set.unseen, 3)) {
    await page.getByLabel(`Pictures of ${label}`, { exact: true }).setInputFiles(path);
  }
  await page.getByLabel(/class$/i).fill(LONG);
  await page.keyboard.press('Enter');
  await page.getByText('to teach').first().waitFor();
}

async function showWebcam(page: Page, fixture: Fixture): Promise<void> {
  await at(`#/heads/${HEAD}/teach`, '.class-card')(page, fixture);
  await page
    .getByRole('button', { name: /^Webcam: / })
    .first()
    .click();
  await page.getByRole('button', { name: 'Hold to record' }).waitFor();
}

async function showAnswer(page: Page, fixture: Fixture): Promise<void> {
  await at(`#/heads/${HEAD}/try`, '.try-picture')(page, fixture);
  await page.getByLabel('A picture to try', { exact: true }).setInputFiles(fixture.set.unseen[0].path);
  await page.locator('.verdict').waitFor();
  await page.waitForLoadState('networkidle');
}
