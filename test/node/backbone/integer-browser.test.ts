/** The 8-bit engine in a real browser. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { INTEGER_CODE_HASH, LITE_CODE_HASHES } from './integer-golden.ts';

const root = join(import.meta.dirname, '../../..');

/** A script that leaves the functions of integer-golden.ts behind as `integers`. */
async function bundle(): Promise<string> {
  const built = await build({
    root,
    configFile: false,
    logLevel: 'error',
    publicDir: false,
    build: {
      write: false,
      minify: false,
      target: 'esnext',
      lib: { entry: join(import.meta.dirname, 'integer-golden.ts'), name: 'integers', formats: ['iife'] },
    },
  });
  const [first] = Array.isArray(built) ? built : [built];
  if (!('output' in first)) throw new Error('Vite has built nothing.');
  return first.output[0].code;
}

function base64(path: string): string {
  return JSON.stringify(readFileSync(join(root, path)).toString('base64'));
}

describe.skipIf(withoutBrowser())('the 8-bit engine in Chromium', () => {
  it('gives the golden codes bit by bit, in either build', async () => {
    const script = await bundle();
    const lite = 'backbones/efficientnet-lite0';
    const plan = readFileSync(join(root, lite, 'plan.json'), 'utf8');
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: `${script}; globalThis.integers = integers;` });
      await page.evaluate(
        `globalThis.weights = Uint8Array.fromBase64(${base64(`${lite}/weights.safetensors`)})`,
      );
      for (const name of ['engine', 'engine-relaxed']) {
        const found: unknown = await page.evaluate(
          `WebAssembly.compile(Uint8Array.fromBase64(${base64(`build/wasm/${name}.wasm`)})).then((module) =>
            [integers.integerCodeHash(module), integers.liteCodeHashesOf(${plan}, weights, module)])`,
        );
        expect(found, name).toEqual([INTEGER_CODE_HASH, LITE_CODE_HASHES]);
      }
    } finally {
      await browser.close();
    }
  });
});
