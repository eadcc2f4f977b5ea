/**
 * The engine: runs a program, an array of steps of STEP_WORDS words that the compiler has laid out in memory together
 * with the packed weights and the room for feature maps. Nothing is allocated and nothing leaves WebAssembly between
 * the picture and its code.
 */
import * as codes from './codes';
import { conv, Conv } from './conv';
import { depthwise, Depthwise } from './depthwise';
import { border, Border, elementwise, Elementwise } from './map';
import { quantise, Quantise } from './quantise';
import { stem, Stem } from './stem';
import { dense, Dense, statistics, Statistics } from './vector';

/** Whether this build uses relaxed SIMD. */
export const relaxed: i32 = RELAXED;

/** A convolution and the depthwise one that reads it, by turns, so that the block between them never leaves the cache. */
@unmanaged
class Blockwise {
  op: i32;
  /** Its output is one block, and its plane 0; so is the depthwise step's input. */
  conv: Conv;
  depthwise: Depthwise;
  /** Of the depthwise step's output, or 0. */
  statistics: usize;
}

function blockwise(s: Blockwise): void {
  for (let block = 0; block < s.conv.blocks; block++) {
    conv(s.conv, s.conv.output, block, block + 1);
    depthwise(s.depthwise, block, block + 1);
    if (s.statistics) statistics(changetype<Statistics>(s.statistics), block, block + 1);
  }
}

/** Runs the steps from `step` to the END step. */
export function run(step: usize): void {
  for (; ; step += codes.STEP_WORDS << 2) {
    switch (load<i32>(step)) {
      case codes.STEM: stem(changetype<Stem>(step)); break;
      case codes.CONV:
      case codes.CONV16: conv(changetype<Conv>(step), changetype<Conv>(step).output, 0, changetype<Conv>(step).blocks); break;
      case codes.DEPTHWISE: depthwise(changetype<Depthwise>(step), 0, changetype<Depthwise>(step).blocks); break;
      case codes.BLOCKWISE: blockwise(changetype<Blockwise>(step)); break;
      case codes.QUANTISE: quantise(changetype<Quantise>(step)); break;
      case codes.STATISTICS: statistics(changetype<Statistics>(step), 0, changetype<Statistics>(step).blocks); break;
      case codes.DENSE: dense<f32>(changetype<Dense>(step)); break;
      case codes.DENSE16: dense<i16>(changetype<Dense>(step)); break;
      case codes.ELEMENTWISE: elementwise(changetype<Elementwise>(step)); break;
      case codes.BORDER: border(changetype<Border>(step)); break;
      case codes.END: return;
      default: unreachable();
    }
  }
}
