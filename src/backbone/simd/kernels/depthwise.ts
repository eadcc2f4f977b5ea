import { inSinglePrecision } from '../../../safetensors.ts';
import { FLOAT_BYTES, type FeatureMap } from '../map.ts';
import { packDepthwise } from '../pack.ts';
import type { Step } from '../program.ts';
import { BLOCK } from '../sizes.ts';
import { activationOf, bias, depthwiseWords, type Filter } from './filter.ts';

export function depthwise(input: FeatureMap, filter: Filter, output: FeatureMap): Step {
  const taps = filter.height * filter.width;
  const bytes = output.blocks * BLOCK * taps * FLOAT_BYTES;
  const pack = (floats: Float32Array): void =>
    packDepthwise(floats, inSinglePrecision(filter.weights), filter.outputs);
  return (program) => [
    'depthwise',
    depthwiseWords(input, filter, output),
    [program.shared(`depthwise weights, ${filter.name}`, bytes, pack), filter.height, filter.width],
    [bias(program, filter), activationOf(filter), filter.padding[0], input.shape.height],
  ];
}
