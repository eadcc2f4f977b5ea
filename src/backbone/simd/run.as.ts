/**
 * The engine: runs steps of STEP_WORDS words each, which the compiler has laid out in memory together with the packed
 * weights and the room for feature maps. Nothing is allocated and nothing leaves WebAssembly between the picture and its
 * code.
 */
import { STEP_WORDS } from './sizes';

/** Whether this build uses relaxed SIMD. */
export const relaxed: i32 = RELAXED;

/** Runs the steps from `step` up to `end`. Kernels are in the table that the host hands in, where the steps say. */
export function run(step: usize, end: usize): void {
  for (; step < end; step += STEP_WORDS << 2) call_indirect<void>(load<i32>(step), step);
}
