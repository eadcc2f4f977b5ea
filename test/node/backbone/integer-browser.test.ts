/** The 8-bit engine in a real browser. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { launchBrowser, withoutBrowser } from '../../../scripts/browser.ts';
import { INTEGER_CODE_HASH } from './integer-golden.ts';

const root = join(import.meta.dirname, '../../..');

/** A script that leaves `integers.integerCodeHash` behind. */
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

describe.skipIf(withoutBrowser())('the 8-bit engine in Chromium', () => {
  it('gives the golden code bit by bit, in either build', async () => {
    const script = await bundle();
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.addScriptTag({ content: `${script}; globalThis.hashOf = integers.integerCodeHash;` });
      for (const name of ['engine', 'engine-relaxed']) {
        const base64 = readFileSync(join(root, 'build/wasm', `${name}.wasm`)).toString('base64');
        const hash: unknown = await page.evaluate(
          `WebAssembly.compile(Uint8Array.fromBase64(${JSON.stringify(base64)})).then(hashOf)`,
        );
        expect(hash, name).toBe(INTEGER_CODE_HASH);
      }
    } finally {
      await browser.close();
    }
  });
});
