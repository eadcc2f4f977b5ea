/** What integer kernels keep in memory: packed weights, tables by output channel, how sums are rounded. */
import type { Filter } from '../kernels/filter.ts';
import { align } from '../arena.ts';
import { blocksOf, vectorBytes } from '../map.ts';
import type { Fill, Place, Program, Region, Workshop } from '../program.ts';
import { BLOCK, BYTE_BLOCK } from '../sizes.ts';
import type { Codes } from './codes.ts';
import { packWords } from './pack.ts';
import { depthwiseWeights8 } from './depthwise-weights.ts';
import { sumTables, units8, weights16, type Ends, type Units } from './weights.ts';

/** A step with weights, on integers. */
export interface IntegerStep {
  readonly name: string;
  readonly filter: Filter;
  readonly ends: Ends;
  /** The least and the greatest code of the output. */
  readonly bounds: readonly [low: number, high: number];
}

/** Adding this to a float moves its integer part into the lowest bits, rounded to nearest even. */
const ROUNDER = 12_582_912;
const ROUNDER_BITS = 0x4b400000;

/**
 * Packed weights of 8 bits, and behind them what sums begin with and what their units are worth. There are millions, and
 * an isolate that starts would take long over them in JavaScript: kernels do it.
 */
export function convConstants8(program: Program, step: IntegerStep): [weights: Region, tables: Place] {
  const { filter, ends } = step;
  const { inputs, outputs, height, width } = filter;
  const bytesOfOutput = Math.ceil(inputs / BYTE_BLOCK) * BYTE_BLOCK * height * width;
  const byOutput = vectorBytes(outputs);
  const weightBytes = align(filter.weights.length * 4 + byOutput);
  const fill: SumFill = (target, { address, run }) => {
    new Float32Array(target.buffer, address, filter.weights.length).set(filter.weights);
    const table = (i: number): number => address + weightBytes + i * byOutput;
    const floats = (i: number): Float32Array => new Float32Array(target.buffer, table(i), outputs);
    new Uint8Array(target.buffer, table(0), 5 * byOutput).fill(0);
    const words = [address, height * width, inputs, outputs];
    run('magnitudes8', [...words, table(0), byOutput]);
    const units = units8(filter, ends.input, { largest: floats(0), grouped: floats(1) });
    floats(3).set(units.map((unit) => 1 / unit));
    run('pack8', [...words, table(3), table(4), target.byteOffset]);
    const sums = new Int32Array(target.buffer, table(4), outputs);
    return { units: { units, magnitudes: floats(2) }, sums };
  };
  return sumConstants(program, step, bytesOfOutput, fill, weightBytes + 5 * byOutput);
}

/** The same of 16 bits, also of depthwise steps and the one that reads the picture: two rows lie side by side. */
export function constants16(
  program: Program,
  step: IntegerStep,
  rows: Int32Array,
): [weights: Region, tables: Place] {
  const { filter, ends } = step;
  return sumConstants(program, step, rows.length * 2, (target) => {
    const { weights, ...found } = weights16(filter, ends.input);
    const packed = new Int16Array(target.buffer, target.byteOffset, target.length / 2);
    packWords(packed, weights, rows, filter.outputs, 2);
    return found;
  });
}

/** Writes the weights and says what their units are and what they come to, by output. */
type SumFill = (target: Int8Array, workshop: Workshop) => { units: Units; sums: Int32Array };

function sumConstants(
  program: Program,
  { name, filter, ends }: IntegerStep,
  bytesOfOutput: number,
  fill: SumFill,
  workBytes = 0,
): [weights: Region, tables: Place] {
  const outputs = blocksOf(filter.outputs) * BLOCK;
  const bytes = outputs * bytesOfOutput;
  const key = `integer ${keyOf(name, filter, ends)}`;
  const write: Fill = (floats, integers, workshop) => {
    const { units, sums } = fill(new Int8Array(floats.buffer, floats.byteOffset, bytes), workshop);
    const { starts, factors } = sumTables(name, filter, ends, units, sums);
    integers.set(starts, bytes / 4);
    floats.set(factors, bytes / 4 + outputs);
  };
  const region = program.shared(key, bytes + outputs * 8, write, workBytes);
  return [region, { region, offset: bytes }];
}

/** Packed weights of an 8-bit depthwise step, and by eight channels starts, multipliers and offsets. */
export function depthwiseConstants8(
  program: Program,
  { name, filter, ends }: IntegerStep,
  rows: Int32Array,
  word: 1 | 2,
): [weights: Region, tables: Place] {
  const outputs = blocksOf(filter.outputs) * BLOCK;
  const bytes = Math.ceil((outputs * rows.length) / 16) * 16;
  const region = program.shared(`integer ${keyOf(name, filter, ends)}`, bytes + outputs * 6, (floats) => {
    const { weights, starts, multipliers, offsets } = depthwiseWeights8(name, filter, ends);
    packWords(new Int8Array(floats.buffer, floats.byteOffset, bytes), weights, rows, filter.outputs, word);
    const tables = new Int16Array(floats.buffer, floats.byteOffset + bytes, outputs * 3);
    for (const [i, table] of [starts, multipliers, offsets].entries()) {
      for (let o = 0; o < table.length; o++) {
        const lane = o % BLOCK;
        tables[(o - lane) * 3 + i * BLOCK + lane] = table[o];
      }
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
