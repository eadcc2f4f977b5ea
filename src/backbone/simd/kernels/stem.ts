import type { Plan } from '../../plan.ts';
import type { FeatureMap } from '../map.ts';
import { pictureRows } from '../pack.ts';
import type { Program, Region, Step, StepWords, Word } from '../program.ts';
import { activationOf, bias, matrix, pixelTable, type Filter } from './filter.ts';

export interface Picture extends Readonly<Plan['input']> {
  /** Where its bytes go. */
  readonly pixels: Region;
}

/** The kernels widen eight bytes at a time and may run over a row's end by seven; pairs read one more. */
const SLACK_BYTES = 32;
const VECTOR_BYTES = 16;

export function makeRoom(program: Program, input: Plan['input']): Picture {
  const pixels = program.scratch(input.height * input.width * input.channels + SLACK_BYTES);
  return { ...input, pixels };
}

/** What reads the picture's bytes, and how it is called. */
export interface Reader {
  readonly kernel: string;
  /** Of the numbers that bytes become: floats of 4, integers of 2. */
  readonly numberBytes: 2 | 4;
  /** The words of the step that convolves one row. @param words where its input lies: ring, runs and words, pixels. */
  readonly conv: (program: Program, words: readonly Word[]) => StepWords;
}

/** A convolution that reads the picture's bytes. Around the picture lie the plan's padding values. */
export function readPicture(picture: Picture, filter: Filter, output: FeatureMap, reader: Reader): Step {
  const { kernel, numberBytes, conv } = reader;
  const { height, width, channels } = picture;
  const [top, , left, right] = filter.padding;
  const pixelBytes = channels * numberBytes;
  const rowBytes =
    Math.ceil(((left + width + right) * pixelBytes + SLACK_BYTES) / VECTOR_BYTES) * VECTOR_BYTES;
  const rowLength = filter.width * channels;
  const [rowRuns, rowWords] = [rowLength >> 3, Math.ceil(((rowLength & 7) * numberBytes) / 4)];
  const [runCount, wordCount] = [filter.height * rowRuns, filter.height * rowWords];
  const from = { start: 0, row: 0, step: filter.stride * pixelBytes };
  return (program) => {
    // The kernel fills in where in the ring its rows lie.
    const runs = program.constant((runCount + wordCount) * 4);
    const ring = padRows(program, picture, rowBytes, filter.height, numberBytes);
    const pixels = pixelTable(program, from, output, 1);
    return [
      kernel,
      [program.nested(() => conv(program, [ring, runs, runCount, wordCount, ...pixels])), picture.pixels],
      [width * channels, height, ring, rowBytes, padRows(program, picture, rowBytes, 1, numberBytes)],
      [filter.height, rowRuns, rowWords, filter.stride, top],
      [left * pixelBytes, output.shape.height, output.rowBytes],
    ];
  };
}

/** The same in floats. */
export function stem(picture: Picture, filter: Filter, output: FeatureMap): Step {
  const rows = pictureRows(filter.height, filter.width * picture.channels);
  const conv: Reader['conv'] = (program, words) => {
    const [weights] = matrix(program, filter, ['picture', rows], 32);
    const after = [output.region, output.blockBytes, output.blocks, weights, bias(program, filter)];
    return ['conv', words, after, [activationOf(filter), 0, 0, 0]];
  };
  return readPicture(picture, filter, output, { kernel: 'stem', numberBytes: 4, conv });
}

/** Rows as they look outside of the picture. */
function padRows(
  program: Program,
  { padValue, channels }: Picture,
  rowBytes: number,
  count: number,
  numberBytes: 2 | 4,
): Region {
  const rowLength = rowBytes / numberBytes;
  return program.constant(rowBytes * count, (floats, { buffer, byteOffset }) => {
    const numbers = numberBytes === 4 ? floats : new Int16Array(buffer, byteOffset, rowLength * count);
    for (let i = 0; i < rowLength * count; i++) {
      const value = padValue[(i % rowLength) % channels];
      numbers[i] = numberBytes === 4 ? value : Math.round(value);
    }
  });
}
