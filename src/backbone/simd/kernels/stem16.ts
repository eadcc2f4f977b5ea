import { constants16, rounding, type IntegerStep } from '../integer/constants.ts';
import { pairedPictureRows } from '../integer/pack.ts';
import { blocksOf, type FeatureMap } from '../map.ts';
import type { Step } from '../program.ts';
import { readPicture, type Picture, type Reader } from './stem.ts';

/** A convolution that reads the picture's bytes, in 16 bits. The plan's padding values are rounded. */
export function stem16(picture: Picture, step: IntegerStep, output: FeatureMap): Step {
  const { filter, ends, bounds } = step;
  const rows = pairedPictureRows(filter.height, filter.width * picture.channels);
  const conv: Reader['conv'] = (program, words) => [
    'conv16',
    words,
    [output.region, output.blockBytes, blocksOf(filter.outputs), ...constants16(program, step, rows)],
    [rounding(program, ends.output, bounds), Number(output.bits === 16)],
  ];
  return readPicture(picture, filter, output, { kernel: 'stem16', numberBytes: 2, conv });
}
