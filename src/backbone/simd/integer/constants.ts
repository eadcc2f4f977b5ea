/** What integer kernels keep in memory: packed weights, tables by output channel, how sums are rounded. */
import type { Filter } from '../kernels/filter.ts';
import { blocksOf } from '../map.ts';
import type { Place, Program, Region } from '../program.ts';
import { BLOCK } from '../sizes.ts';
import type { Codes } from './codes.ts';
import { packWords } from './pack.ts';
import type { DepthwiseWeights, Ends, SumWeights } from './weights.ts';

/** A step with weights, on integers. */
export interface IntegerStep {
  readonly name: string;
  readonly filter: Filter;
  readonly ends: Ends;
  /** The least and the greatest code of the output. */
  readonly bounds: readonly [low: number, high: number];
}

/** The order of a step's rows of weights, and how many of them lie side by side. */
export interface Order {
  readonly rows: Int32Array;
  readonly word: number;
  readonly bits: 8 | 16;
}

/** Adding this to a float moves its integer part into the lowest bits, rounded to nearest even. */
const ROUNDER = 12_582_912;
const ROUNDER_BITS = 0x4b400000;

/** Packed weights, and behind them what sums begin with and what their units are worth. */
export function sumConstants(
  program: Program,
  { name, filter, ends }: IntegerStep,
  { rows, word, bits }: Order,
  quantise: () => SumWeights,
): [weights: Region, tables: Place] {
  const outputs = blocksOf(filter.outputs) * BLOCK;
  const bytes = (outputs * rows.length * bits) / 8;
  const region = program.shared(
    `integer ${keyOf(name, filter, ends)}`,
    bytes + outputs * 8,
    (floats, integers) => {
      const { weights, starts, factors } = quantise();
      packWords(viewOf(floats, bits, bytes), weights, rows, filter.outputs, word);
      integers.set(starts, bytes / 4);
      floats.set(factors, bytes / 4 + outputs);
    },
  );
  return [region, { region, offset: bytes }];
}

/** The same of an 8-bit depthwise step: behind the weights lie by eight channels starts, multipliers and offsets. */
export function depthwiseConstants(
  program: Program,
  { name, filter, ends }: IntegerStep,
  { rows, word }: Order,
  quantise: () => DepthwiseWeights,
): [weights: Region, tables: Place] {
  const outputs = blocksOf(filter.outputs) * BLOCK;
  const bytes = Math.ceil((outputs * rows.length) / 16) * 16;
  const region = program.shared(`integer ${keyOf(name, filter, ends)}`, bytes + outputs * 6, (floats) => {
    const { weights, ...tables } = quantise();
    packWords(viewOf(floats, 8, bytes), weights, rows, filter.outputs, word);
    const behind = new Int16Array(floats.buffer, floats.byteOffset + bytes, outputs * 3);
    for (const [i, table] of [tables.starts, tables.multipliers, tables.offsets].entries()) {
      for (let o = 0; o < table.length; o++)
        behind[(o - (o % BLOCK)) * 3 + i * BLOCK + (o % BLOCK)] = table[o];
    }
  });
  return [region, { region, offset: bytes }];
}

/** How sums become codes. */
export function rounding(
  program: Program,
  output: Codes,
  [low, high]: readonly [number, number],
  other?: Codes,
): Region {
  const factor = other === undefined ? 0 : other.unit / output.unit;
  const name = `rounding ${output.bits} ${output.zero} ${low} ${high} ${factor}`;
  return program.shared(name, 20, (floats, integers) => {
    floats[0] = ROUNDER + output.zero;
    integers[1] = ROUNDER_BITS;
    integers[2] = repeated(low, output.bits);
    integers[3] = repeated(high, output.bits);
    floats[4] = factor;
  });
}

/** A code in every byte or half of a word. */
export function repeated(code: number, bits: 8 | 16): number {
  return bits === 8 ? code * 0x01010101 : code * 0x00010001;
}

/** Besides the weights, what their integers depend on. */
function keyOf(name: string, filter: Filter, { input, output, other }: Ends): string {
  const codes = [input, output, other].map((each) => each && `${each.unit} ${each.zero}`);
  return `${name}, ${filter.name}, ${codes.join(', ')}`;
}

function viewOf(floats: Float32Array, bits: 8 | 16, bytes: number): Int8Array | Int16Array {
  if (bits === 8) return new Int8Array(floats.buffer, floats.byteOffset, bytes);
  return new Int16Array(floats.buffer, floats.byteOffset, bytes / 2);
}
