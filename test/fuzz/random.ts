/** Where a case's choices come from: the same seed and number make the same case on every machine. */

/** Numbers at which lengths, counts and signs go wrong. */
const EDGES = [
  0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 0x7fffffff, 0x80000000,
  0xffffffff,
];

export class Random {
  #state: number;

  /** @param number of the case. */
  constructor(seed: number, number = 0) {
    this.#state = Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b);
    // Neighbouring cases begin with unlike choices.
    for (let i = 0; i < 3; i++) this.#next();
  }

  /** Mulberry32: a whole number below 2³². */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** 0 … below − 1. @param below from 1 on. */
  below(below: number): number {
    return Math.floor((this.#next() / 2 ** 32) * below);
  }

  /** True once in `n`. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)];
  }

  /** Does one of several things. */
  do<T>(...ways: readonly (() => T)[]): T {
    return this.pick(ways)();
  }

  /** A number on or beside an edge, or any, of so many bits. */
  odd(bits: number): number {
    const value = this.oneIn(3) ? this.#next() : this.pick(EDGES) + this.below(3) - 1;
    return value < 0 ? 2 ** bits - 1 : value % 2 ** bits;
  }

  bytes(length: number): Uint8Array<ArrayBuffer> {
    const kind = this.below(4);
    return Uint8Array.from({ length }, () => (kind === 0 ? 0 : kind === 1 ? 255 : this.below(256)));
  }
}
