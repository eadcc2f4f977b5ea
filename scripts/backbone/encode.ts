/** Turns an imported network into the two files that make a backbone. */
import { createHash } from 'node:crypto';
import { tensorOf, writeSafetensors } from '../../src/safetensors.ts';
import type { Network } from './network.ts';

/** By their names. */
export type BackboneFiles = Readonly<Record<'plan.json' | 'weights.safetensors', string | Uint8Array>>;

/** @param source SHA-256 of what the weights were read from. */
export function encode({ plan, tensors }: Network, source: string): BackboneFiles {
  const stored = Array.from(tensors, ([name, { shape, values, half }]) => {
    return [name, tensorOf(half ? Float16Array.from(values) : values, shape)] as const;
  });
  const weights = writeSafetensors(new Map(stored), { format: plan.format, source });
  const weightsSha256 = createHash('sha256').update(weights).digest('hex');
  const { format, name, version, ...rest } = plan;
  const whole = { format, name, version, weightsSha256, ...rest };
  return { 'plan.json': `${JSON.stringify(whole, null, 2)}\n`, 'weights.safetensors': weights };
}
