/** How large the client is for a program that bundles it. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { root } from './stale.ts';

/** Minified, in bytes, and as gzip sends it. @throws Error in the bundler's words. */
export async function clientSize(): Promise<{ readonly bytes: number; readonly gzipBytes: number }> {
  const bundled = await build({
    configFile: false,
    logLevel: 'error',
    build: { write: false, lib: { entry: join(root, 'sdk/client.ts'), formats: ['es'] } },
  });
  const [result] = [bundled].flat();
  if (result === undefined || !('output' in result)) throw new Error('The client was not bundled.');
  const code = Buffer.from(result.output[0].code);
  return { bytes: code.length, gzipBytes: gzipSync(code).length };
}
