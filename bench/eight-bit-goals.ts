/** What 8 bits promise on EfficientNet-Lite0, by the path that the processor lets them take. */
import { ratioGoal } from './goals.ts';
import { type Goal } from './section.ts';
import type { Timing } from './measure.ts';
import { REFERENCE } from './engines.ts';

/** Sides at which the engines race, and the most of tfjs's time with AVX-VNNI. */
export const RACED: readonly (readonly [side: number, atMost: number])[] = [
  [224, 0.28],
  [160, 0.3],
];
/** Without relaxed SIMD's products of bytes. */
const BASELINE_AT_MOST = 0.45;

/** The engine on 8 bits with the products that the host's relaxed SIMD has, and on every host's. */
export const RELAXED = 'simd8-relaxed';
export const PLAIN = 'simd8';

/** Their 8-bit models and their own floats: ours has to be quicker than whichever is quicker. */
const PEERS = ['onnxruntime-web', 'LiteRT.js'] as const;

/** @param where 'Node' or 'workerd'. */
export function eightBitGoals(
  where: string,
  side: number,
  atMost: number,
  timings: ReadonlyMap<string, Timing>,
  avxVnni: boolean | undefined,
): Goal[] {
  const at = `8 bits at ${side} px in ${where}`;
  const path = avxVnni === true ? 'relaxed SIMD on AVX-VNNI' : 'relaxed SIMD without AVX-VNNI, which the goal is for'; // prettier-ignore
  return [
    ...ratioGoal(`${at}, ${path}, of tfjs’s time`, timings, [RELAXED, REFERENCE], atMost),
    ...ratioGoal(`${at}, plain SIMD, of tfjs’s time`, timings, [PLAIN, REFERENCE], BASELINE_AT_MOST),
    ...PEERS.flatMap((peer) =>
      ratioGoal(`${at}, of ${peer}’s with its own 8 bits`, timings, [RELAXED, `${peer}, 8 bits`], 1),
    ),
  ];
}

/** For a note below tables. */
export function pathInWords(avxVnni: boolean | undefined): string {
  const processor = avxVnni === undefined ? 'This system does not tell whether the processor has AVX-VNNI' : `The processor has ${avxVnni ? '' : 'no '}AVX-VNNI`; // prettier-ignore
  return `${processor}. ${RELAXED} multiplies with relaxed_dot_i8x16_i7x16 (one instruction where there is AVX-VNNI), ${PLAIN} with i32x4.dot_i16x8_s; both give the same integers.`;
}
