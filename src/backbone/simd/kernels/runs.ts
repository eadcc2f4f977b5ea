/** Where the inputs of a convolution lie. */
import type { FeatureMap } from '../map.ts';
import type { Program, Region } from '../program.ts';
import type { Filter } from './filter.ts';

/** How far from a pixel's first input each run lies, one a block of channels, kernel row and kernel column. */
export function runTable(
  program: Program,
  input: FeatureMap,
  { height, width }: Filter,
): [table: Region, count: number] {
  const runs = [...Array(input.blocks * height * width).keys()].map((i) => {
    const [block, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
    return block * input.blockBytes + y * input.rowBytes + x * input.pixelBytes;
  });
  const table = program.table(`runs ${runs.join(' ')}`, runs.length, (integers) => integers.set(runs));
  return [table, runs.length];
}
