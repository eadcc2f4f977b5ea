/** Says for each of many names when it is its turn: at the first call, and then at every n-th. */
export class Turns {
  readonly #every: number;
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most names that are remembered; one that was forgotten has its turn when it comes again. */
  constructor(every: number, most: number) {
    this.#every = every;
    this.#most = most;
  }

  isDue(name: string): boolean {
    const count = this.#counts.get(name) ?? 0;
    this.#counts.delete(name);
    this.#counts.set(name, (count + 1) % this.#every);
    if (this.#counts.size > this.#most) {
      const [oldest] = this.#counts.keys();
      this.#counts.delete(oldest);
    }
    return count === 0;
  }
}
