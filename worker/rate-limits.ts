/**
 * How many requests a tenant may make: by the platform's rate-limit binding where there is one, which counts for a whole
 * location, and by a count of this isolate's own elsewhere.
 */
import type { Env } from './env.ts';
import { MAX_REQUESTS_PER_WINDOW, RATE_WINDOW_MS, RATED_TENANTS } from './limits.ts';
import { ApiError } from './problem.ts';

interface Window {
  readonly endsAt: number;
  requests: number;
}

export class RateLimits {
  readonly #windows = new Map<string, Window>();

  /** @throws ApiError rate_limited */
  async admit(env: Env, tenant: string): Promise<void> {
    if (env.REQUESTS === undefined) {
      this.#admitHere(tenant, Number(env.HEADWATER_MAX_REQUESTS ?? MAX_REQUESTS_PER_WINDOW));
      return;
    }
    const { success } = await env.REQUESTS.limit({ key: tenant });
    if (!success) throw tooMany(RATE_WINDOW_MS);
  }

  #admitHere(tenant: string, most: number): void {
    const now = Date.now();
    const window = this.#windows.get(tenant);
    if (window === undefined || now >= window.endsAt) {
      this.#open(tenant, now);
      return;
    }
    if (window.requests >= most) throw tooMany(window.endsAt - now);
    window.requests++;
  }

  #open(tenant: string, now: number): void {
    this.#windows.delete(tenant);
    if (this.#windows.size >= RATED_TENANTS) {
      const [oldest] = this.#windows.keys();
      this.#windows.delete(oldest);
    }
    this.#windows.set(tenant, { endsAt: now + RATE_WINDOW_MS, requests: 1 });
  }
}

function tooMany(waitMs: number): ApiError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ApiError(
    'rate_limited',
    `This tenant makes too many requests. Wait ${seconds} s and go on slower.`,
    {
      headers: { 'retry-after': String(seconds) },
    },
  );
}
