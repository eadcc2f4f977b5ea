/**
 * Golden vectors: codes with the probabilities that any runtime must find for them, kept in the head file and checked
 * when it is read. The codes are made from the head's mean and deviation alone, so that no example is in them.
 */
import type { GoldenVector, Head } from './head.ts';
import { mulberry32 } from '../random.ts';
import { score } from './score.ts';

/** Room for another order of summing and another exp; a wrong weight or a lost sign shows far above it. */
const TOLERANCE = 1e-4;
/** Largest distance of the synthetic codes from the mean, in deviations. */
const REACH = 1.5;
const GOLDEN_VECTORS = 2;

/** @returns the head with the golden vectors that it did not have yet. */
export function withGolden(head: Omit<Head, 'golden'>): Head {
  const golden = Array.from({ length: GOLDEN_VECTORS }, (_, which): GoldenVector => {
    const random = mulberry32(which + 1);
    const code = head.mean.map((mean, d) => mean + head.deviation[d] * REACH * (2 * random() - 1));
    return { code, probabilities: score(head, code).probabilities };
  });
  return { ...head, golden };
}

/** The largest difference between a golden vector's probabilities and those found now, or undefined if all agree. */
export function goldenFault(head: Head): string | undefined {
  for (const [i, { code, probabilities }] of head.golden.entries()) {
    const found = score(head, code).probabilities;
    for (let c = 0; c < found.length; c++) {
      // Negated so that a NaN counts as a difference.
      if (!(Math.abs(found[c] - probabilities[c]) <= TOLERANCE)) {
        return `golden vector ${i} should give class ${c} ${probabilities[c]}, but it gives ${found[c]}`;
      }
    }
  }
  return undefined;
}
