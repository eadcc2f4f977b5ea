import { constants16, rounding, type IntegerStep } from '../integer/constants.ts';
import { pairedPictureRows } from '../integer/pack.ts';
import { blocksOf, type FeatureMap } from '../map.ts';
import type { Program, Region, Step } from '../program.ts';
import { pixelTable } from './filter.ts';
import type { Picture } from './stem.ts';

const CODE_BYTES = 2;
/** The stem widens eight bytes at a time and may run over a row's end by seven; pairs read one more. */
const SLACK_BYTES = 32;
const VECTOR_BYTES = 16;

/** A convolution that reads the picture's bytes, in 16 bits. Around the picture lie the plan's padding values, rounded. */
export function stem16(picture: Picture, step: IntegerStep, output: FeatureMap): Step {
  const { filter, ends, bounds } = step;
  const { height, width, channels } = picture;
  const [top, , left, right] = filter.padding;
  const pixelBytes = channels * CODE_BYTES;
  const rowBytes =
    Math.ceil(((left + width + right) * pixelBytes + SLACK_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
  const rowLength = filter.width * channels;
  const [rowRuns, rowWords] = [rowLength >> 3, Math.ceil((rowLength & 7) / 2)];
  const [runCount, wordCount] = [filter.height * rowRuns, filter.height * rowWords];
  const rows = pairedPictureRows(filter.height, rowLength);
  const from = { start: 0, row: 0, step: filter.stride * pixelBytes };
  return (program) => {
    const [pixels, count] = pixelTable(program, from, output, 1);
    // The kernel fills in where in the ring its rows lie.
    const runs = program.constant((runCount + wordCount) * 4);
    const ring = padRows(program, picture, rowBytes, filter.height);
    const [weights, tables] = constants16(program, step, rows);
    const conv = program.nested(() => [
      'conv16',
      [ring, runs, runCount, wordCount, pixels, count, weights, tables],
      [output.region, output.blockBytes, blocksOf(filter.outputs)],
      [rounding(program, ends.output, bounds), Number(output.bits === 16)],
    ]);
    return [
      'stem16',
      [conv, picture.pixels, width * channels, height, ring, rowBytes],
      [padRows(program, picture, rowBytes, 1), filter.height, rowRuns, rowWords, filter.stride, top],
      [left * pixelBytes, output.shape.height, output.rowBytes],
    ];
  };
}

/** Rows as they look outside of the picture. */
function padRows(program: Program, { padValue, channels }: Picture, rowBytes: number, count: number): Region {
  const rowCodes = rowBytes / CODE_BYTES;
  return program.constant(rowBytes * count, ({ buffer, byteOffset }) => {
    const codes = new Int16Array(buffer, byteOffset, rowCodes * count);
    for (let i = 0; i < codes.length; i++) codes[i] = Math.round(padValue[(i % rowCodes) % channels]);
  });
}
