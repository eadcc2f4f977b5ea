/** Two deployments of one backbone that is run at several sizes: of old, at its own size, and with 160 pixels as default. */
import planJson from '../../backbones/mobilenet-v3-small/plan.json';
import weights from '../../backbones/mobilenet-v3-small/weights.safetensors';
import type { Embeddings } from '../../src/api/index.ts';
import { spaceOfPlan, type Head, type PictureInput } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/ridge/train.ts';
import { createRuntime } from '../../worker/isolate/runtime.ts';
import { expect } from 'vitest';
import { Isolate, JPEG, testEnv } from './support.ts';
import linalg from '../../build/wasm/linalg.wasm?module';

/** The built-in network under another hash. */
const plan = {
  ...planJson,
  name: 'sized',
  version: '3',
  weightsSha256: 'c'.repeat(64),
  input: { ...planJson.input, sides: [128, 160, 192] },
};
export const SIZED = { weightsSha256: plan.weightsSha256, plan, weights };
export const BACKBONE = { name: plan.name, version: plan.version, weights_sha256: plan.weightsSha256 };

export const OWN: PictureInput = { height: 224, width: 224, rules: 1 };
export const SMALL: PictureInput = { height: 160, width: 160, rules: 2 };

export const [usual, small] = await Promise.all(
  [OWN, SMALL].map((input) => createRuntime([SIZED], { backbone: plan.name, input })),
);
/** Two isolates on the same stores. */
export const older = new Isolate(testEnv, usual);
export const newer = new Isolate(testEnv, small);

/** A head of made-up codes that reads pictures so. */
export function headAt(input: PictureInput, seed = 1): Promise<Head> {
  const { weightsSha256, codeLength, ...read } = spaceOfPlan(usual.plan, input);
  let state = seed;
  const random = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  return trainHead(
    {
      backbone: { name: usual.plan.name, version: usual.plan.version, weightsSha256 },
      ...read,
      labels: ['cat', 'dog'],
      codes: Float16Array.from({ length: 6 * codeLength }, random),
      targets: Uint16Array.of(0, 0, 0, 1, 1, 1),
    },
    { linalg },
  );
}

/** What /v1/embed answers for one picture. */
export async function embed(isolate: Isolate, key: string, query = ''): Promise<Embeddings> {
  const response = await isolate.call(`/v1/embed?encoding=base64${query}`, {
    key,
    type: 'image/jpeg',
    body: JPEG,
  });
  expect(response.status, await response.clone().text()).toBe(200);
  return response.json();
}

/** A picture's code, read so. */
export async function codeOf(input: PictureInput, bytes: Uint8Array): Promise<Float32Array> {
  const runtime = await usual.of({ backbone: usual.plan, input });
  const { pixels } = await runtime.decoder.decode(bytes, input);
  return runtime.engine.codes(pixels);
}
