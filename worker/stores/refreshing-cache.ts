/**
 * A bounded cache of small values that change: a fresh value is used as it is, a somewhat older one is used while a new
 * one is fetched behind the request, an old one is waited for. So a steady stream of requests never waits for a store,
 * and no value older than `staleMs` is ever used.
 */
import { waitUntil } from 'cloudflare:workers';
import { SharedLoads } from './shared-loads.ts';

export interface RefreshingCacheOptions {
  readonly freshMs: number;
  readonly staleMs: number;
  readonly entries: number;
}

interface Entry<V> {
  readonly value: V;
  readonly at: number;
}

export class RefreshingCache<V> {
  readonly #options: RefreshingCacheOptions;
  readonly #entries = new Map<string, Entry<V>>();
  readonly #loads = new SharedLoads<V>();

  constructor(options: RefreshingCacheOptions) {
    this.#options = options;
  }

  /** @param loader is given the value known before, however old. What it throws is not kept. */
  async get(key: string, loader: (known: V | undefined) => Promise<V>): Promise<V> {
    const entry = this.#entries.get(key);
    const age = entry === undefined ? Infinity : Date.now() - entry.at;
    if (entry === undefined || age >= this.#options.staleMs) return this.refresh(key, loader);
    if (age >= this.#options.freshMs) {
      // A store that fails now may answer before the value is too old; then the waiting request gets that answer.
      waitUntil(this.refresh(key, loader).catch(() => undefined));
    }
    return entry.value;
  }

  /** Loads now, whatever is known. A value that was set or dropped while it loaded is newer and stays. */
  async refresh(key: string, loader: (known: V | undefined) => Promise<V>): Promise<V> {
    return this.#loads.load(key, async () => {
      const before = this.#entries.get(key);
      const startedAt = Date.now();
      const value = await loader(before?.value);
      // The value is as old as the question.
      if (this.#entries.get(key) === before) this.set(key, value, startedAt);
      return value;
    });
  }

  /** All that is kept, however old. */
  known(): [string, V][] {
    return [...this.#entries].map(([key, { value }]) => [key, value]);
  }

  peek(key: string): V | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: string, value: V, at: number = Date.now()): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#options.entries) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest);
    }
    this.#entries.set(key, { value, at });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}
