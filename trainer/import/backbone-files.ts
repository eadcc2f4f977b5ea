/** Writes imported steps and weights as the files that make a backbone: plan.json, weights.safetensors, MODEL_CARD.md. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { loadBackbone, type Backbone, type Plan, type Tap } from '../../src/backbone/index.ts';
import { tensorOf, writeSafetensors } from '../../src/safetensors.ts';
import { writeWhole } from '../files.ts';
import type { PlanEmitter } from './emit.ts';
import { modelCard, type Description } from './model-card.ts';

export interface BackboneFiles {
  readonly plan: Plan;
  readonly weights: Uint8Array;
  /** The same, loaded: what has been checked. */
  readonly backbone: Backbone;
  readonly description: Description;
}

interface BackboneSpec extends Description {
  readonly name: string;
  readonly version: string;
  readonly input: { readonly height: number; readonly width: number; readonly channels: number };
  readonly taps: readonly Tap[];
}

/** Weights stay in single precision: an import must answer as the original does. */
export function encodeBackbone(emitter: PlanEmitter, spec: BackboneSpec): BackboneFiles {
  const written = [...emitter.tensors].map(
    ([name, { shape, values }]) => [name, tensorOf(values, shape)] as const,
  );
  const format = 'headwater-plan/1';
  const weights = writeSafetensors(new Map(written), { format });
  const { name, version, input, taps, ...description } = spec;
  const plan: Plan = {
    format,
    name,
    version,
    weightsSha256: createHash('sha256').update(weights).digest('hex'),
    input: { ...input, padValue: emitter.padValue(input.channels) },
    steps: emitter.steps,
    taps,
  };
  return { plan, weights, backbone: loadBackbone(plan, weights), description };
}

/** @throws FileError */
export async function writeBackboneFiles(folder: string, files: BackboneFiles): Promise<void> {
  await writeWhole(join(folder, 'weights.safetensors'), files.weights);
  await writeWhole(join(folder, 'plan.json'), `${JSON.stringify(files.plan, null, 2)}\n`);
  await writeWhole(join(folder, 'MODEL_CARD.md'), modelCard(files.plan, files.weights, files.description));
}

/** A written backbone, for programs. */
export function backboneJson(
  path: string,
  { name, version, weightsSha256 }: Plan,
): Readonly<Record<string, string>> {
  return { path, name, version, weights_sha256: weightsSha256 };
}
