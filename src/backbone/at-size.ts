/** A backbone at another size of its pictures: the same weights, other maps. */
import { HeadwaterError } from '../errors.ts';
import type { Backbone } from './load.ts';
import type { Plan } from './plan.ts';
import { inferShapes } from './shapes.ts';

/** Of pictures, in pixels. */
export interface Size {
  readonly height: number;
  readonly width: number;
}

/** @returns whether the plan may be run on pictures of that size. */
export function allowsSize({ input }: Plan, { height, width }: Size): boolean {
  if (height === input.height && width === input.width) return true;
  return height === width && (input.sides?.includes(height) ?? false);
}

/**
 * @param size the backbone's own where absent.
 * @returns the backbone with the input and the shapes of that size; tensors are shared.
 * @throws HeadwaterError `backbone_mismatch` when the plan doesn't allow the size.
 */
export function backboneAt(backbone: Backbone, size: Size = backbone.plan.input): Backbone {
  const { plan, tensorShapes } = backbone;
  const { height, width } = size;
  if (height === plan.input.height && width === plan.input.width) return backbone;
  if (!allowsSize(plan, size)) {
    const sides = plan.input.sides?.join(', ') ?? 'no other';
    throw new HeadwaterError(
      'backbone_mismatch',
      `The backbone ${plan.name} is not run on pictures of ${height}×${width} pixels; its own size is ` +
        `${plan.input.height}×${plan.input.width}, and it allows these sides besides: ${sides}.`,
    );
  }
  const resized = { ...plan, input: { ...plan.input, height, width } };
  return { ...backbone, plan: resized, shapes: inferShapes(resized, (name) => tensorShapes.get(name)) };
}
