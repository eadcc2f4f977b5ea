/** `npm run screenshots`: the console in a real browser on the local Worker, at a desk and on a phone, light and dark. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import sharp from 'sharp';
import { userPath } from '../../trainer/paths.ts';
import { launchBrowser } from '../browser.ts';
import { command, UsageError } from '../command.ts';
import { ownPictures, shippedPictures } from '../demo/pictures.ts';
import { openFixture, type Fixture } from './fixture.ts';
import { ANSWER, SCENES, type Scene } from './scenes.ts';
import { root } from '../build/stale.ts';

/** The page of who isn't signed in. */
const SIGN_IN = 'sign-in';
const NAMES = [SIGN_IN, ...SCENES.map(({ name }) => name)];

const USAGE = `Usage: npm run screenshots -- [--data DIR] [--out DIR] [--only NAME] [--readme]

  --data DIR   photos, one folder a class (default: those that ship with a dependency)
  --out DIR    where the pictures go (default .headwater/screenshots)
  --only NAME  one page: ${NAMES.join(', ')}
  --readme     writes the two pictures of README.md to docs/images instead`;

const SCHEMES = ['light', 'dark'] as const;
type Scheme = (typeof SCHEMES)[number];
const SIZES = [
  { width: 1440, height: 900 },
  { width: 390, height: 844 },
] as const;
/** README's columns are about 850 pixels wide; twice that for sharp screens. */
const README_SIZE = { width: 1120, height: 880 } as const;
const README_MAX_BYTES = 150_000;

const options = {
  data: { type: 'string' },
  out: { type: 'string', default: join(root, '.headwater/screenshots') },
  only: { type: 'string' },
  readme: { type: 'boolean', default: false },
} as const;

await command(USAGE, options, async ({ data, out, only, readme }) => {
  if (only !== undefined && !NAMES.includes(only))
    throw new UsageError(`--only ${only}: there is no such page.`);
  const set = data === undefined ? await shippedPictures(root) : ownPictures(userPath(data));
  const [fixture, browser] = await Promise.all([openFixture(set), launchBrowser()]);
  try {
    if (readme) await takeReadme(browser, fixture);
    else await takeAll(browser, fixture, userPath(out), only === undefined ? NAMES : [only]);
  } finally {
    await browser.close();
    await fixture.worker.close();
  }
});

async function takeAll(
  browser: Browser,
  fixture: Fixture,
  folder: string,
  names: readonly string[],
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const colorScheme of SCHEMES) {
    for (const size of SIZES) {
      for (const name of names) {
        const scene = SCENES.find((each) => each.name === name);
        const file = join(folder, `${name}-${size.width}-${colorScheme}.png`);
        await take(browser, fixture, size, colorScheme, scene, file);
      }
    }
  }
  console.log(`Written to ${folder}`);
}

async function takeReadme(browser: Browser, fixture: Fixture): Promise<void> {
  const scene = SCENES.find(({ name }) => name === ANSWER);
  for (const colorScheme of SCHEMES) {
    const png = await take(browser, fixture, README_SIZE, colorScheme, scene, undefined);
    const file = join(root, `docs/images/console-${colorScheme}.webp`);
    const { size } = await sharp(png).webp({ quality: 82, effort: 6 }).toFile(file);
    if (size > README_MAX_BYTES)
      throw new Error(`${file} has ${size} bytes; ${README_MAX_BYTES} are allowed.`);
    console.log(`${file}: ${size} bytes`);
  }
}

/** @param scene undefined for the page of who isn't signed in. In a browser profile of its own; the whole page, or for the README what fits the window. */
async function take(
  browser: Browser,
  { worker, key, set }: Fixture,
  viewport: { readonly width: number; readonly height: number },
  colorScheme: Scheme,
  scene: Scene | undefined,
  file: string | undefined,
): Promise<Buffer> {
  const deviceScaleFactor = file === undefined ? 1.5 : 1;
  const context = await browser.newContext({
    viewport,
    colorScheme,
    deviceScaleFactor,
    reducedMotion: 'reduce',
  });
  try {
    const page = await context.newPage();
    await page.goto(worker.url.href);
    if (scene !== undefined) {
      await page.getByLabel('API key').fill(key);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('heading', { name: 'Heads', exact: true }).waitFor();
      await scene.show(page, { worker, key, set });
    }
    return await page.screenshot(file === undefined ? {} : { path: file, fullPage: true });
  } finally {
    await context.close();
  }
}
