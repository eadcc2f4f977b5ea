/** Keeps the values used last, as long as they fit into a number of bytes together, and beside what the isolate lends. */
import type { Elastic, Leases } from '../isolate/leases.ts';

/** Uses of entries of all caches up to now. */
let uses = 0;

interface Entry<V> {
  readonly value: V;
  readonly bytes: number;
  usedAt: number;
}

/** Of which caches fill what is not lent. */
export type CacheMemory = Pick<Leases, 'addCache' | 'makeRoom'>;

export class ByteLru<V> implements Elastic {
  readonly #capacityBytes: number;
  readonly #memory: CacheMemory;
  /** A Map remembers the order of insertion; a hit is taken out and put in again, so that the oldest comes first. */
  readonly #entries = new Map<string, Entry<V>>();
  readonly #onDrop: (value: V) => void;
  #bytes = 0;

  /** @param onDrop called with every value that is kept no longer. */
  constructor(capacityBytes: number, memory: CacheMemory, onDrop: (value: V) => void = () => {}) {
    this.#capacityBytes = capacityBytes;
    this.#memory = memory;
    this.#onDrop = onDrop;
    memory.addCache(this);
  }

  get bytes(): number {
    return this.#bytes;
  }

  get oldestUse(): number {
    return this.#entries.values().next().value?.usedAt ?? Infinity;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    entry.usedAt = ++uses;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** A value larger than the whole cache is not kept, nor one for which there is no room beside the loans. */
  set(key: string, value: V, bytes: number): void {
    if (this.#entries.get(key)?.value === value) return;
    this.delete(key);
    if (bytes > this.#capacityBytes) {
      this.#onDrop(value);
      return;
    }
    while (this.#bytes + bytes > this.#capacityBytes) this.dropOldest();
    this.#entries.set(key, { value, bytes, usedAt: ++uses });
    this.#bytes += bytes;
    this.#memory.makeRoom();
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
    this.#onDrop(entry.value);
  }

  dropOldest(): void {
    const [oldest] = this.#entries.keys();
    this.delete(oldest);
  }
}
