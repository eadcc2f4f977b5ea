/**
 * The engine: runs a program, an array of steps of STEP_WORDS words that the compiler has laid out in memory together
 * with the packed weights and the room for feature maps. Nothing is allocated and nothing leaves WebAssembly between
 * the picture and its code.
 */
import { ADD, BORDER, CONV, CONV16, DENSE, DEPTHWISE, END, MEAN, QUANTISE, SCALE, STEM, STEM16 } from './codes';
import { STEP_WORDS } from './codes';
import { conv, conv16, Conv } from './conv';
import { depthwise, Depthwise } from './depthwise';
import { add, Add, border, Border, scale, Scale } from './map';
import { quantise, Quantise } from './quantise';
import { stem, Stem } from './stem';
import { dense, Dense, mean, Mean } from './vector';

/** Whether this build uses relaxed SIMD. */
export const relaxed: i32 = RELAXED;

/** Runs the steps from `step` to the END step. */
export function run(step: usize): void {
  for (; ; step += STEP_WORDS << 2) {
    switch (load<i32>(step)) {
      case STEM: stem<f32>(changetype<Stem>(step)); break;
      case STEM16: stem<i16>(changetype<Stem>(step)); break;
      case CONV: conv(changetype<Conv>(step), changetype<Conv>(step).output); break;
      case CONV16: conv16(changetype<Conv>(step), changetype<Conv>(step).output); break;
      case QUANTISE: quantise(changetype<Quantise>(step)); break;
      case DEPTHWISE: depthwise(changetype<Depthwise>(step)); break;
      case MEAN: mean(changetype<Mean>(step)); break;
      case DENSE: dense(changetype<Dense>(step)); break;
      case SCALE: scale(changetype<Scale>(step)); break;
      case ADD: add(changetype<Add>(step)); break;
      case BORDER: border(changetype<Border>(step)); break;
      case END: return;
      default: unreachable();
    }
  }
}
