/** Keeps the values used last, as long as they fit into a number of bytes together. */
export class ByteLru<V> {
  readonly #capacityBytes: number;
  /** A Map remembers the order of insertion; a hit is taken out and put in again, so that the oldest comes first. */
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  readonly #onDrop: (value: V) => void;
  #bytes = 0;

  /** @param onDrop called with every value that is kept no longer. */
  constructor(capacityBytes: number, onDrop: (value: V) => void = () => {}) {
    this.#capacityBytes = capacityBytes;
    this.#onDrop = onDrop;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** A value larger than the whole cache is not kept. */
  set(key: string, value: V, bytes: number): void {
    if (this.#entries.get(key)?.value === value) return;
    this.delete(key);
    if (bytes > this.#capacityBytes) {
      this.#onDrop(value);
      return;
    }
    for (const [oldest] of this.#entries) {
      if (this.#bytes + bytes <= this.#capacityBytes) break;
      this.delete(oldest);
    }
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#onDrop(entry.value);
  }
}
