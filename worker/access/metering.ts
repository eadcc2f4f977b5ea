/**
 * Counts requests in the isolate and tells the tenants' Durable Objects a few seconds later, so that the hot path waits
 * for no store. An isolate that is ended takes at most those seconds' counts with it; Analytics Engine, where it is
 * bound, gets each request at once.
 */
import { waitUntil } from 'cloudflare:workers';
import { createMiddleware } from 'hono/factory';
import type { AppEnv, Env, RequestKind } from '../env.ts';
import { USAGE_FLUSH_MS } from '../limits.ts';
import { callTenant } from '../tenant/call.ts';

interface Tally {
  readonly requests: Map<string, { day: string; kind: string; count: number }>;
  readonly shadows: Map<string, { head: string; version: number; requests: number; disagreements: number }>;
}

export class Metering {
  readonly #tallies = new Map<string, Tally>();

  count(env: Env, tenant: string, kind: RequestKind): void {
    const { requests } = this.#tally(env, tenant);
    const day = new Date().toISOString().slice(0, 10);
    const key = `${day} ${kind}`;
    const entry = requests.get(key) ?? { day, kind, count: 0 };
    entry.count++;
    requests.set(key, entry);
    env.ANALYTICS?.writeDataPoint({ indexes: [tenant], blobs: [kind], doubles: [1] });
  }

  /** A shadow version predicted too. */
  countShadow(env: Env, tenant: string, head: string, version: number, disagrees: boolean): void {
    const { shadows } = this.#tally(env, tenant);
    const key = `${head} ${version}`;
    const entry = shadows.get(key) ?? { head, version, requests: 0, disagreements: 0 };
    entry.requests++;
    if (disagrees) entry.disagreements++;
    shadows.set(key, entry);
  }

  /** What is counted so far; the first count after the last telling sets the time of the next. */
  #tally(env: Env, tenant: string): Tally {
    const known = this.#tallies.get(tenant);
    if (known !== undefined) return known;
    const tally: Tally = { requests: new Map(), shadows: new Map() };
    this.#tallies.set(tenant, tally);
    waitUntil(this.#tellLater(env, tenant, tally));
    return tally;
  }

  async #tellLater(env: Env, tenant: string, tally: Tally): Promise<void> {
    try {
      await scheduler.wait(USAGE_FLUSH_MS);
    } finally {
      this.#tallies.delete(tenant);
    }
    const counted = { requests: [...tally.requests.values()], shadows: [...tally.shadows.values()] };
    await callTenant(env, tenant, (stub) => stub.usage.add(counted)).catch((error: unknown) => {
      console.warn(JSON.stringify({ message: 'usage lost', tenant, reason: String(error) }));
    });
  }
}

/** Counts requests that succeed, by the kind that their route declares. */
export const metered = (metering: Metering) =>
  createMiddleware<AppEnv>(async (c, next) => {
    await next();
    const kind = c.get('kind');
    if (kind !== undefined && c.res.status < 400) metering.count(c.env, c.get('principal').tenant, kind);
  });
