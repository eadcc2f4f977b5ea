/** A convolution's weights, and what kernels that multiply by them keep in memory: packed weights, biases, tables. */
import { inSinglePrecision } from '../../../safetensors.ts';
import { type Activation, ACTIVATION_TABLE } from '../../activations.ts';
import type { Padding } from '../../plan.ts';
import type { FeatureMap } from '../map.ts';
import { blocksOf, FLOAT_BYTES, vectorBytes } from '../map.ts';
import { packMatrix, packMatrix16 } from '../pack.ts';
import type { Place, Program, Region, Word } from '../program.ts';
import { BLOCK, CONV_TILE, PEAK } from '../sizes.ts';

/** Weights, [height, width, inputs, outputs] or depthwise [height, width, outputs], and how they move over a map. */
export interface Filter {
  /** The weights' name: constants that are made of the same ones are shared by it. */
  readonly name: string;
  readonly weights: Float32Array | Float16Array;
  readonly bias: Float32Array | Float16Array;
  readonly height: number;
  readonly width: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  readonly padding: Padding;
  readonly activation: Activation;
}

/** The words of a depthwise convolution's step up to its weights. */
export function depthwiseWords(input: FeatureMap, filter: Filter, output: FeatureMap): Word[] {
  const { stride, padding } = filter;
  const from = [input.place(-padding[0], -padding[2]), input.rowBytes, input.blockBytes, stride];
  const to = [output.place(), output.rowBytes, output.blockBytes, output.shape.height, output.shape.width];
  return [...from, ...to, blocksOf(filter.outputs)];
}

/** The number of its activation in words of steps. */
export function activationOf({ activation }: Filter): number {
  return ACTIVATION_TABLE[activation].kernel;
}

export function bias(program: Program, filter: Filter): Region {
  const fill = (floats: Float32Array): void => floats.set(filter.bias);
  return program.shared(`bias of ${filter.name}`, vectorBytes(filter.outputs), fill);
}

/**
 * Packed weights, and with 16 bits what their units are worth.
 * @param order of the rows, in a word.
 */
export function matrix(
  program: Program,
  filter: Filter,
  [order, rows]: readonly [order: string, rows: Int32Array],
  bits: 16 | 32,
): [weights: Region, units: Place | 0] {
  const name = `${order} matrix of ${bits} bits, ${filter.name}`;
  const outputs = blocksOf(filter.outputs) * BLOCK;
  const bytes = (outputs * rows.length * bits) / 8;
  if (bits === 32) {
    const fill = (floats: Float32Array): void =>
      packMatrix(floats, inSinglePrecision(filter.weights), rows, filter.outputs);
    return [program.shared(name, bytes, fill), 0];
  }
  const region = program.shared(name, bytes + outputs * FLOAT_BYTES, (floats) => {
    const packed = new Int16Array(floats.buffer, floats.byteOffset, bytes / 2);
    const weights = inSinglePrecision(filter.weights);
    floats.set(packMatrix16(packed, weights, rows, filter.outputs, PEAK), bytes / FLOAT_BYTES);
  });
  return [region, { region, offset: bytes }];
}

/**
 * The table of a convolution's pixels, of at least one tile: short ones repeat their last pixel.
 * @param from the first pixel's first input, and bytes from row to row and from pixel to pixel.
 * @returns also how many there are.
 */
export function pixelTable(
  program: Program,
  { start, row, step }: { start: number; row: number; step: number },
  output: FeatureMap,
  height: number,
): [table: Region, count: number] {
  const { width } = output.shape;
  const count = Math.max(height * width, CONV_TILE);
  const place = [start, row, step, height, width, output.offset(0, 0), output.rowBytes];
  const table = program.table(`pixels ${place.join(' ')}`, count * 2, (integers) => {
    for (let i = 0; i < count; i++) {
      const pixel = Math.min(i, height * width - 1);
      const [y, x] = [Math.floor(pixel / width), pixel % width];
      integers[i * 2] = start + y * row + x * step;
      integers[i * 2 + 1] = output.offset(y, x);
    }
  });
  return [table, count];
}
