/** Turns an imported network into the two files that make a backbone. */
import { createHash } from 'node:crypto';
import type { Plan } from '../../src/backbone/plan.ts';
import { tensorOf, writeSafetensors } from '../../src/safetensors.ts';
import type { Network } from './mobilenet-v3.ts';
import { SOURCE } from './source.ts';

/** The plan with its weights file; 'single' keeps every tensor in single precision, to measure what rounding costs. */
export function encode(network: Network, precision: 'half' | 'single'): { plan: Plan; weights: Uint8Array } {
  const tensors = new Map(
    [...network.tensors].map(([name, { shape, values, half }]) => [
      name,
      tensorOf(half && precision === 'half' ? Float16Array.from(values) : values, shape),
    ]),
  );
  const weights = writeSafetensors(tensors, { format: network.plan.format, source: SOURCE.sha256 });
  const weightsSha256 = createHash('sha256').update(weights).digest('hex');
  const { format, name, version, ...rest } = network.plan;
  return { plan: { format, name, version, weightsSha256, ...rest }, weights };
}
