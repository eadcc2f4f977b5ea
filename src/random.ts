/**
 * Repeatable random numbers: every draw is a function of the seed and of its purpose, never of earlier draws. A run that is
 * resumed half-way draws the same numbers, and work may be shared out in any order.
 */

/** Uniform in [0, 1). */
export type Random = () => number;

/** The generator for one purpose, named by whole numbers such as a seed, an epoch and a picture. */
export function randomFor(...purpose: readonly number[]): Random {
  let state = 0x9e3779b9;
  // MurmurHash3's finaliser after each number: neighbouring purposes give unrelated sequences.
  for (const number of purpose) {
    state = Math.imul((state ^ number) >>> 0, 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
  }
  return mulberry32(state);
}

/** Mulberry32 (Tommy Ettinger): small, well spread, the same numbers in every runtime. @param state a whole number */
export function mulberry32(state: number): Random {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** 0 … length − 1 in random order (Fisher & Yates). */
export function permutation(length: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
