/**
 * Loads a thing once for all requests of the isolate that want it at the same time.
 *
 * A request can end, and its reads with it, while others wait for what it loads. So the load is registered with
 * waitUntil, which keeps it alive, and whoever waits too long all the same loads for itself.
 */
import { waitUntil } from 'cloudflare:workers';
import { SHARED_LOAD_TIMEOUT_MS } from '../limits.ts';

const LATE = Symbol('late');

export class SharedLoads<V> {
  readonly #running = new Map<string, Promise<V>>();

  async load(key: string, loader: () => Promise<V>): Promise<V> {
    const running = this.#running.get(key);
    if (!running) return this.#start(key, loader);
    const value = await orLate(running);
    return value === LATE ? loader() : value;
  }

  #start(key: string, loader: () => Promise<V>): Promise<V> {
    const promise = loader().finally(() => {
      if (this.#running.get(key) === promise) this.#running.delete(key);
    });
    this.#running.set(key, promise);
    // The caller handles the failure; here it only must not count as unhandled.
    waitUntil(promise.catch(() => undefined));
    return promise;
  }
}

async function orLate<V>(promise: Promise<V>): Promise<V | typeof LATE> {
  let timer: number | null = null;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(() => resolve(LATE), SHARED_LOAD_TIMEOUT_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
