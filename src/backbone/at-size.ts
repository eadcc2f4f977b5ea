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

/** @returns the sizes at which the plan may be run: '224×224, 128×128'. */
export function sizesInWords({ input: { height, width, sides = [] } }: Plan): string {
  const squares = sides.map((side) => `${side}×${side}`);
  return [...new Set([`${height}×${width}`, ...squares])].join(', ');
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
    throw new HeadwaterError(
      'backbone_mismatch',
      `The backbone ${plan.name} is not run on pictures of ${height}×${width} pixels, but of ` +
        `${sizesInWords(plan)}.`,
    );
  }
  const resized = { ...plan, input: { ...plan.input, height, width } };
  return { ...backbone, plan: resized, shapes: inferShapes(resized, (name) => tensorShapes.get(name)) };
}
