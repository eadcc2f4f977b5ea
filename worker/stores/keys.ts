/**
 * Who a key is: asked of the isolate's memory, then of KV, then of the tenant's Durable Object, which knows. Revocation is
 * seen within KEY_STALE_MS plus KV's 30 s everywhere, and at once where it was asked for.
 */
import { sha256Hex, tenantOf } from '../api-key.ts';
import type { Env } from '../env.ts';
import {
  KEY_CACHE_ENTRIES,
  KEY_FRESH_MS,
  KEY_STALE_MS,
  REFUSED_KEY_ENTRIES,
  REFUSED_KEY_MS,
  REVOKED_KEY_MS,
} from '../limits.ts';
import { ApiError } from '../problem.ts';
import { RateLimits } from '../rate-limits.ts';
import { callTenant } from '../tenant/call.ts';
import { KeyEntry, keyEntryName } from './layout.ts';
import { readKv } from './reads.ts';
import { RefreshingCache } from './refreshing-cache.ts';

interface Refusal {
  readonly reason: 'unknown' | 'revoked';
  readonly until: number;
}

export class KeyStore {
  readonly #active = new RefreshingCache<KeyEntry>({
    freshMs: KEY_FRESH_MS,
    staleMs: KEY_STALE_MS,
    entries: KEY_CACHE_ENTRIES,
  });
  readonly #refused = new Map<string, Refusal>();
  readonly #rates = new RateLimits();

  /** @throws ApiError unauthorized, key_revoked */
  async find(env: Env, key: string): Promise<KeyEntry> {
    const tenant = tenantOf(key);
    if (tenant === undefined) throw refusal('unknown');
    const hash = await sha256Hex(key);
    const refused = this.#refused.get(hash);
    if (refused && Date.now() < refused.until) throw refusal(refused.reason);
    return this.#active.get(hash, () => this.#load(env, tenant, hash));
  }

  /** Whether the tenant may ask once more now. @throws ApiError rate_limited */
  admit(env: Env, tenant: string): Promise<void> {
    return this.#rates.admit(env, tenant);
  }

  /** What a revocation asked for here leaves behind. */
  revoked(hash: string): void {
    this.#refuse(hash, 'revoked');
  }

  async #load(env: Env, tenant: string, hash: string): Promise<KeyEntry> {
    const entry = await readKv(env, keyEntryName(hash), KeyEntry);
    if (entry !== undefined) return entry;
    const found = await callTenant(env, tenant, (stub) => stub.findKey(hash));
    if (found.status === 'active') return { tenant, id: found.id, scopes: found.scopes };
    this.#refuse(hash, found.status);
    throw refusal(found.status);
  }

  #refuse(hash: string, reason: Refusal['reason']): void {
    this.#active.delete(hash);
    this.#refused.delete(hash);
    if (this.#refused.size >= REFUSED_KEY_ENTRIES) {
      const [oldest] = this.#refused.keys();
      this.#refused.delete(oldest);
    }
    const ms = reason === 'revoked' ? REVOKED_KEY_MS : REFUSED_KEY_MS;
    this.#refused.set(hash, { reason, until: Date.now() + ms });
  }
}

function refusal(reason: Refusal['reason']): ApiError {
  const headers = { 'www-authenticate': 'Bearer' };
  return reason === 'revoked'
    ? new ApiError('key_revoked', 'This API key was revoked. Use another one.', { headers })
    : new ApiError('unauthorized', 'No such API key. Send one as `Authorization: Bearer hw_…`.', { headers });
}
