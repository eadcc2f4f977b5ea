/** Turns an imported network into the two files that make a backbone. */
import { createHash } from 'node:crypto';
import type { Plan } from '../../src/backbone/plan.ts';
import { tensorOf, writeSafetensors } from '../../src/safetensors.ts';
import type { Network } from './network.ts';

/**
 * The plan with its weights file; 'single' keeps every tensor in single precision, to measure what rounding costs.
 * @param source SHA-256 of what the weights were read from.
 */
export function encode(
  network: Network,
  precision: 'half' | 'single',
  source: string,
): { plan: Plan; weights: Uint8Array } {
  const tensors = new Map(
    [...network.tensors].map(([name, { shape, values, half }]) => [
      name,
      tensorOf(half && precision === 'half' ? Float16Array.from(values) : values, shape),
    ]),
  );
  const weights = writeSafetensors(tensors, { format: network.plan.format, source });
  const weightsSha256 = createHash('sha256').update(weights).digest('hex');
  const { format, name, version, ...rest } = network.plan;
  return { plan: { format, name, version, weightsSha256, ...rest }, weights };
}
