/** Nothing is timed before it has been seen to compute the same. */

export interface Agreement {
  readonly cosine: number;
  readonly largestDifference: number;
}

/** Below it the network computed is another one; engines with fewer bits must reach it too. */
const LEAST_COSINE = 0.999;

/** @throws Error when `codes` are not those of the reference. */
export function agreement(name: string, codes: Float32Array, reference: Float32Array): Agreement {
  if (codes.length !== reference.length) {
    throw new Error(`${name} gives ${codes.length} numbers, the reference engine ${reference.length}.`);
  }
  let [dot, a, b, largestDifference] = [0, 0, 0, 0];
  for (const [i, value] of codes.entries()) {
    dot += value * reference[i];
    a += value * value;
    b += reference[i] * reference[i];
    largestDifference = Math.max(largestDifference, Math.abs(value - reference[i]));
  }
  const cosine = dot / Math.sqrt(a * b);
  if (!(cosine >= LEAST_COSINE))
    throw new Error(`${name} computes something else: cosine ${cosine} to the reference.`);
  return { cosine, largestDifference };
}

export function agreementText({ cosine, largestDifference }: Agreement): string {
  return `1 − ${(1 - cosine).toExponential(1)}, ${largestDifference.toExponential(1)}`;
}
