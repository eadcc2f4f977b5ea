/**
 * How many requests a tenant may make, and how many unknown keys an address may try: by the platform's rate-limit bindings
 * where there are some, which count for a whole location, and by counts of this isolate's own elsewhere.
 */
import type { Env } from '../env.ts';
import {
  KEY_MISS_WINDOW_MS,
  MAX_KEY_MISSES_PER_WINDOW,
  MAX_REQUESTS_PER_WINDOW,
  MISSING_ADDRESSES,
  RATE_WINDOW_MS,
  RATED_TENANTS,
} from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { WindowCounts } from './window-counts.ts';

export class RateLimits {
  readonly #requests = new WindowCounts({ windowMs: RATE_WINDOW_MS, entries: RATED_TENANTS });
  readonly #misses = new WindowCounts({ windowMs: KEY_MISS_WINDOW_MS, entries: MISSING_ADDRESSES });

  /** @throws ApiError rate_limited */
  async admit(env: Env, tenant: string): Promise<void> {
    const most = Number(env.HEADWATER_MAX_REQUESTS ?? MAX_REQUESTS_PER_WINDOW);
    const waitMs = await excess(env.REQUESTS, tenant, RATE_WINDOW_MS, () => this.#requests.add(tenant, most));
    if (waitMs !== undefined) throw tooMany('This tenant makes too many requests.', waitMs);
  }

  /**
   * Before the stores are searched for a key without a valid check value. It counts by the caller's address, not by the
   * tenant that the key names, so that guessing can't lock that tenant out.
   * @throws ApiError rate_limited
   */
  async admitUnknownKey(env: Env, address: string): Promise<void> {
    const from = networkOf(address);
    const waitMs = await excess(env.KEY_MISSES, from, KEY_MISS_WINDOW_MS, () =>
      this.#misses.add(from, MAX_KEY_MISSES_PER_WINDOW),
    );
    if (waitMs !== undefined) throw tooMany('Too many unknown keys came from your address.', waitMs);
  }
}

/** @returns how long to wait, where there were too many. */
async function excess(
  binding: RateLimit | undefined,
  key: string,
  windowMs: number,
  here: () => number | undefined,
): Promise<number | undefined> {
  if (binding === undefined) return here();
  const { success } = await binding.limit({ key });
  return success ? undefined : windowMs;
}

/** One caller can use all addresses of an IPv6 /64. */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [left, right] = address.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = right === undefined ? 0 : 8 - left.length - right.length;
  return [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...(right ?? [])].slice(0, 4).join(':');
}

function tooMany(what: string, waitMs: number): ApiError {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return new ApiError('rate_limited', `${what} Wait ${seconds} s and go on slower.`, {
    headers: { 'retry-after': String(seconds) },
  });
}
