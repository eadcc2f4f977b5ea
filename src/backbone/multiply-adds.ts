/** How much a network computes, from its plan alone: the measure of what a run costs that no busy machine changes. */
import { elementCount } from '../safetensors.ts';
import type { Backbone } from './load.ts';
import type { Step } from './plan.ts';

/** @returns multiply-adds of one picture through the whole network, at the backbone's size. */
export function multiplyAdds(backbone: Backbone): number {
  return backbone.plan.steps.reduce((sum, step) => sum + multiplyAddsOf(step, backbone), 0);
}

/** @returns those of one step; sums and means count as none. */
export function multiplyAddsOf(step: Step, { shapes, tensorShapes }: Backbone): number {
  const { height, width, channels } = shapes.get(step.name)!;
  switch (step.op) {
    case 'conv':
    case 'depthwise':
    case 'dense':
      return height * width * elementCount(tensorShapes.get(step.weights)!);
    case 'squeeze-excite':
      return (
        elementCount(tensorShapes.get(step.reduceWeights)!) +
        elementCount(tensorShapes.get(step.expandWeights)!) +
        height * width * channels
      );
    case 'add':
    case 'mean':
    default:
      return 0;
  }
}
