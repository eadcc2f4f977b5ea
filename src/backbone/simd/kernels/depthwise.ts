import { inSinglePrecision } from '../../../safetensors.ts';
import { FLOAT_BYTES, type FeatureMap } from '../map.ts';
import { packDepthwise } from '../pack.ts';
import type { Step } from '../program.ts';
import { BLOCK } from '../sizes.ts';
import { bias, type Filter } from './filter.ts';

export function depthwise(input: FeatureMap, filter: Filter, output: FeatureMap): Step {
  const taps = filter.height * filter.width;
  const bytes = output.blocks * BLOCK * taps * FLOAT_BYTES;
  const pack = (floats: Float32Array): void =>
    packDepthwise(floats, inSinglePrecision(filter.weights), filter.outputs);
  return (program) => [
    'depthwise',
    [filter.activation, input.place(-filter.padding[0], -filter.padding[2]), input.rowBytes],
    [
      input.blockBytes,
      filter.stride,
      filter.height,
      filter.width,
      program.shared(`depthwise weights, ${filter.name}`, bytes, pack),
      bias(program, filter),
    ],
    [output.place(), output.rowBytes, output.blockBytes],
    [output.shape.height, output.shape.width, output.blocks, filter.padding[0], input.shape.height],
  ];
}
