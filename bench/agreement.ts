/** Nothing is timed before it has been seen to compute the same. */
import { cosine } from '../src/learn/statistics/cosine.ts';

export interface Agreement {
  readonly cosine: number;
  readonly largestDifference: number;
}

/** Below it the network computed is another one; engines with 16 bits must reach it too. */
const LEAST_COSINE = 0.999;
/** What 8 bits may cost a code. */
const LEAST_COSINE_8_BIT = 0.97;

/** @param name of the engine: it says how many bits it has. @throws Error when `codes` are not those of the reference. */
export function agreement(name: string, codes: Float32Array, reference: Float32Array): Agreement {
  const least = /simd8|8 bits/.test(name) ? LEAST_COSINE_8_BIT : LEAST_COSINE;
  if (codes.length !== reference.length) {
    throw new Error(`${name} gives ${codes.length} numbers, the reference engine ${reference.length}.`);
  }
  const alike = cosine(codes, reference);
  if (!(alike >= least))
    throw new Error(`${name} computes something else: cosine ${alike} to the reference.`);
  const differences = codes.map((value, i) => Math.abs(value - reference[i]));
  return { cosine: alike, largestDifference: differences.reduce((a, b) => Math.max(a, b), 0) };
}

export function agreementText({ cosine, largestDifference }: Agreement): string {
  return `1 − ${(1 - cosine).toExponential(1)}, ${largestDifference.toExponential(1)}`;
}
