import type { Plan } from '../../plan.ts';
import { FLOAT_BYTES, type FeatureMap } from '../map.ts';
import { pictureRows } from '../pack.ts';
import type { Program, Region, Step } from '../program.ts';
import { bias, matrix, pixelTable, type Filter } from './filter.ts';

export interface Picture extends Readonly<Plan['input']> {
  /** Where its bytes go. */
  readonly pixels: Region;
}

/** The stem widens eight bytes at a time and may run over a row's end by seven. */
const SLACK_BYTES = 32;
const VECTOR_BYTES = 16;

export function makeRoom(program: Program, input: Plan['input']): Picture {
  const pixels = program.scratch(input.height * input.width * input.channels + SLACK_BYTES);
  return { ...input, pixels };
}

/** A convolution that reads the picture's bytes. */
export function stem(picture: Picture, filter: Filter, output: FeatureMap): Step {
  const { height, width, channels } = picture;
  const [top, , left, right] = filter.padding;
  const pixelBytes = channels * FLOAT_BYTES;
  const rowBytes =
    Math.ceil(((left + width + right) * pixelBytes + SLACK_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
  const rowWords = filter.width * channels;
  const [runCount, wordCount] = [filter.height * (rowWords >> 3), filter.height * (rowWords & 7)];
  const rows = pictureRows(filter.height, rowWords);
  const from = { start: 0, row: 0, step: filter.stride * pixelBytes };
  return (program) => {
    const [pixels, count] = pixelTable(program, from, output, 1);
    // The kernel fills in where in the ring its rows lie.
    const runs = program.constant((runCount + wordCount) * 4);
    const ring = padRows(program, picture, rowBytes, filter.height);
    const [weights] = matrix(program, filter, ['picture', rows], 32);
    const conv = program.nested(() => [
      'conv',
      [filter.activation, ring, runs, runCount, wordCount],
      [pixels, count, weights, bias(program, filter), output.region, output.blockBytes, output.blocks],
      [0, 0, 0],
    ]);
    return [
      'stem',
      [conv, picture.pixels, width * channels, height, ring, rowBytes],
      [padRows(program, picture, rowBytes, 1), filter.height, rowWords * FLOAT_BYTES, filter.stride, top],
      [left * pixelBytes, output.shape.height, output.rowBytes],
    ];
  };
}

/** Rows as they look outside of the picture. */
function padRows(program: Program, { padValue, channels }: Picture, rowBytes: number, count: number): Region {
  const rowFloats = rowBytes / FLOAT_BYTES;
  return program.constant(rowBytes * count, (floats) => {
    for (let i = 0; i < rowFloats * count; i++) floats[i] = padValue[(i % rowFloats) % channels];
  });
}
