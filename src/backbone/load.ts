/** Joins a plan with its weights into a backbone whose every shape is checked, ready for an engine. */
import * as z from 'zod';
import { HeadwaterError } from '../errors.ts';
import { asFloats, readSafetensors } from '../safetensors.ts';
import type { Plan } from './plan.ts';
import { codeLength } from './plan.ts';
import { planSchema } from './schema.ts';
import { hasRanges, rangesOf } from './ranges.ts';
import type { MapShape } from './shapes.ts';
import { inferShapes } from './shapes.ts';

export interface Backbone {
  readonly plan: Plan;
  /** Every tensor of the weights file, by name, and its shape. */
  readonly tensors: ReadonlyMap<string, Float32Array | Float16Array>;
  readonly tensorShapes: ReadonlyMap<string, readonly number[]>;
  /** Output shape of each step by name, and of 'input'. */
  readonly shapes: ReadonlyMap<string, MapShape>;
  /** D, the length of a CNN code. */
  readonly codeLength: number;
}

/** A backbone has two dozen times fewer tensors and fits a Worker's bundle. */
const WEIGHTS_LIMITS = { fileBytes: 64 * 1024 * 1024, headerBytes: 1024 * 1024, tensors: 4096 };

/**
 * Reads a backbone. The SHA-256 in the plan is what heads are matched by; whoever stores plan and weights apart has
 * to compare it with the weights' own (hashing is asynchronous in Web hosts, loading is not).
 * @param planJson the parsed plan file.
 * @param weights the safetensors file that lies beside it; may share memory with the result.
 * @throws HeadwaterError `backbone_invalid` when the plan is malformed or it or ranges do not fit the weights; `file_corrupt`
 *   when the weights are no valid safetensors file.
 */
export function loadBackbone(planJson: unknown, weights: Uint8Array): Backbone {
  const plan = parsePlan(planJson);
  const file = readSafetensors(weights, WEIGHTS_LIMITS);
  const shapes = inferShapes(plan, (name) => file.tensors.get(name)?.shape);
  const tensors = new Map<string, Float32Array | Float16Array>();
  const tensorShapes = new Map<string, readonly number[]>();
  for (const [name, tensor] of file.tensors) {
    const values = asFloats(tensor, name);
    if (!areFinite(values)) {
      throw new HeadwaterError(
        'backbone_invalid',
        `The backbone's tensor '${name}' holds a number that is not finite.`,
      );
    }
    tensors.set(name, values);
    tensorShapes.set(name, tensor.shape);
  }
  if (hasRanges({ plan, tensors })) rangesOf({ plan, tensors });
  return { plan, tensors, tensorShapes, shapes, codeLength: codeLength(plan) };
}

const NOT_FINITE = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** By the host's own search, for there are a million: a loop takes a fresh isolate milliseconds. */
function areFinite(values: Float32Array | Float16Array): boolean {
  return !NOT_FINITE.some((value) => values.includes(value));
}

function parsePlan(planJson: unknown): Plan {
  const result = planSchema.safeParse(planJson);
  if (result.success) return result.data;
  throw new HeadwaterError(
    'backbone_invalid',
    `The backbone's plan is not valid: ${z.prettifyError(result.error)}`,
  );
}
