/**
 * The engine: runs a program, an array of steps of STEP_WORDS words that the compiler has laid out in memory together
 * with the packed weights and the room for feature maps. Nothing is allocated and nothing leaves WebAssembly between
 * the picture and its code.
 */
import { END, STEP_WORDS } from './sizes';

/** Whether this build uses relaxed SIMD. */
export const relaxed: i32 = RELAXED;

/** Runs the steps from `step` to the END. Kernels are in the table that the host hands in, where the steps say. */
export function run(step: usize): void {
  for (let kernel = load<i32>(step); kernel != END; kernel = load<i32>(step)) {
    call_indirect<void>(kernel, step);
    step += STEP_WORDS << 2;
  }
}
