/**
 * How much memory a training takes at its most: typed arrays and WebAssembly's, everything that grows with the training
 * set or the head. Measured against what is really live in Node.
 */
import { MAX_DIRECTIONS } from '../../head/limits.ts';
import { MOST_JUDGED } from '../further/extend-metrics.ts';
import { DIRECTIONS } from '../statistics/novelty.ts';
import { SPARE_EIGENPAIRS } from '../statistics/principal.ts';
import { wasmBytes } from '../linalg/primitives.ts';

const [HALF, SINGLE, DOUBLE] = [2, 4, 8];
/** What grows with neither: a stretch of rows on their way from a store, tables, and what was not collected yet. */
const REST_BYTES = 1e6;

export interface TrainingSize {
  /** n */
  readonly examples: number;
  /** D */
  readonly codeLength: number;
  /** C, the labels of the head that comes out. */
  readonly classes: number;
  /** The head that is taught further: bytes of its file, and whether it can be continued (continue.ts). */
  readonly base?: { readonly bytes: number; readonly isContinuable: boolean };
}

/** Bytes that `trainWithMetrics`, or `teachFurther` where there is a base, and `writeHead` of what comes out take. */
export function trainingBytes(size: TrainingSize): number {
  const { base, examples, codeLength } = size;
  if (base === undefined) return fittingBytes(size);
  const read = base.bytes + SINGLE * MAX_DIRECTIONS * codeLength;
  const along = DOUBLE * MAX_DIRECTIONS * examples;
  return read + (base.isContinuable ? fittingBytes(size) + along : extendingBytes(size));
}

/** Of train.ts and continue.ts. */
function fittingBytes({ examples: n, codeLength: d, classes }: TrainingSize): number {
  const m = Math.min(n, d);
  const rotated = n > d ? SINGLE * n * m : 0;
  // Right-hand side and solution; logits of the best λ, and those of another, or the multipliers.
  const matrices = 2 * DOUBLE * classes * m + 2 * DOUBLE * n * classes;
  // Eigenvectors, then directions in double, single and half precision.
  const directions = DOUBLE * (2 * DIRECTIONS + SPARE_EIGENPAIRS) * m + 14 * DIRECTIONS * d;
  return HALF * n * d + wasmBytes(m) + rotated + matrices + directions + headBytes(classes, d) + REST_BYTES;
}

/** Of extend.ts and extend-metrics.ts. What one part leaves is still there when the next is judged. */
function extendingBytes({ examples: n, codeLength: d, classes }: TrainingSize): number {
  const judged = n <= MOST_JUDGED ? 2 * (HALF * n * d + SINGLE * classes * d) : 0;
  const gram = DOUBLE * n * n + 2 * DOUBLE * n * classes;
  const rows = (DOUBLE + 2 * SINGLE) * classes * d;
  return HALF * n * d + judged + gram + rows + headBytes(classes, d) + REST_BYTES;
}

/** Weights, and the file with them. */
function headBytes(classes: number, d: number): number {
  return 2 * SINGLE * classes * d;
}
