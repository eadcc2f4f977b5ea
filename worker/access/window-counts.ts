/** Counts by key, in this isolate, in time windows that begin with the first count; the number of keys is bounded. */
export interface Windows {
  readonly windowMs: number;
  /** Keys counted at once; the oldest window makes room. */
  readonly entries: number;
}

interface Window {
  readonly endsAt: number;
  count: number;
}

export class WindowCounts {
  readonly #options: Windows;
  readonly #windows = new Map<string, Window>();

  constructor(options: Windows) {
    this.#options = options;
  }

  /** Counts once more. @returns how many ms to wait where the window is full; otherwise undefined. */
  add(key: string, most: number): number | undefined {
    const now = Date.now();
    const window = this.#windows.get(key);
    if (window === undefined || now >= window.endsAt) {
      this.#open(key, now);
      return undefined;
    }
    if (window.count >= most) return window.endsAt - now;
    window.count++;
    return undefined;
  }

  #open(key: string, now: number): void {
    this.#windows.delete(key);
    if (this.#windows.size >= this.#options.entries) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest);
    }
    this.#windows.set(key, { endsAt: now + this.#options.windowMs, count: 1 });
  }
}
