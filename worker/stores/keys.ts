/**
 * Whose key it is: read from the isolate's memory, then its check value, then KV, then the tenant's Durable Object,
 * which knows. Keys without a check value may be guesses: after KV only a few of an address are looked for. Revocation is
 * in effect within KEY_STALE_MS plus KV's 30 s everywhere, and at once in the isolate that was called.
 */
import { sha256Hex, tenantOf } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { checkKey } from '../access/key-check.ts';
import {
  KEY_CACHE_ENTRIES,
  KEY_FRESH_MS,
  KEY_STALE_MS,
  REFUSED_KEY_ENTRIES,
  REFUSED_KEY_MS,
  REVOKED_KEY_MS,
} from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { RateLimits } from '../access/rate-limits.ts';
import { callTenant } from '../tenant/call.ts';
import { headFolder, KeyEntry, keyEntryName, TenantEntry, tenantEntryName } from './layout.ts';
import { fromR2, readKv } from './reads.ts';
import { RefreshingCache } from './refreshing-cache.ts';

interface Refusal {
  readonly reason: 'unknown' | 'revoked';
  readonly until: number;
}

/** A key that a request bears. */
interface KeyLookup {
  readonly env: Env;
  readonly key: string;
  readonly tenant: string;
  readonly hash: string;
  readonly address: string;
}

export class KeyStore {
  readonly #active = new RefreshingCache<KeyEntry>({
    freshMs: KEY_FRESH_MS,
    staleMs: KEY_STALE_MS,
    entries: KEY_CACHE_ENTRIES,
  });
  readonly #refused = new Map<string, Refusal>();
  readonly #rates = new RateLimits();

  /**
   * @param address where the key comes from: its unknown keys are counted.
   * @throws ApiError unauthorized, key_revoked, rate_limited
   */
  async find(env: Env, key: string, address: string): Promise<KeyEntry> {
    const tenant = tenantOf(key);
    if (tenant === undefined) throw refusal('unknown');
    const hash = await sha256Hex(key);
    const refused = this.#refused.get(hash);
    if (refused && Date.now() < refused.until) throw refusal(refused.reason);
    const lookup = { env, key, tenant, hash, address };
    return this.#active.get(hash, (known) => this.#load(lookup, known !== undefined));
  }

  /** Counts a request of the tenant. @throws ApiError rate_limited */
  admit(env: Env, tenant: string): Promise<void> {
    return this.#rates.admit(env, tenant);
  }

  /**
   * Before a key may change anything: reads the Durable Object, whatever caches have.
   * @throws ApiError unauthorized, key_revoked
   */
  async confirm(
    env: Env,
    { tenant, keyId }: { readonly tenant: string; readonly keyId: string },
  ): Promise<void> {
    const { status } = await callTenant(env, tenant, (stub) => stub.keys.find(keyId));
    if (status !== 'active') throw refusal(status);
  }

  /** To be called after a tenant was deleted here: its keys stop at once in this isolate. */
  deleted(tenant: string): void {
    for (const [hash, entry] of this.#active.known()) if (entry.tenant === tenant) this.revoked(hash);
  }

  /** What a revocation leaves in this isolate. */
  revoked(hash: string): void {
    this.#refuse(hash, 'revoked');
  }

  /** @param isKnown it worked here a moment ago. */
  async #load({ env, key, tenant, hash, address }: KeyLookup, isKnown: boolean): Promise<KeyEntry> {
    const checked = await checkKey(env, key);
    if (checked === 'forged') throw refusal('unknown');
    const entry = await readKv(env, keyEntryName(hash), KeyEntry);
    if (typeof entry === 'object') return entry;
    if (checked === 'unchecked' && !isKnown) {
      await this.#rates.admitUnknownKey(env, address);
      if (entry === 'absent' && !(await mayExist(env, tenant))) {
        this.#refuse(hash, 'unknown');
        throw refusal('unknown');
      }
    }
    const found = await callTenant(env, tenant, (stub) => stub.keys.find(hash));
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

/**
 * Whether a tenant with this id may exist. Anyone can name one that doesn't, and calling its Durable Object would create it:
 * on local workerd it leaves a file. Tenants made before there were such entries get one at their next change; until then
 * their head files show that they exist.
 */
async function mayExist(env: Env, tenant: string): Promise<boolean> {
  if ((await readKv(env, tenantEntryName(tenant), TenantEntry)) !== 'absent') return true;
  try {
    const prefix = headFolder(tenant);
    return (await fromR2(() => env.HEADS.list({ prefix, limit: 1 }))).objects.length > 0;
  } catch {
    return true;
  }
}

function refusal(reason: Refusal['reason']): ApiError {
  const headers = { 'www-authenticate': 'Bearer' };
  return reason === 'revoked'
    ? new ApiError('key_revoked', 'This API key was revoked. Use another one.', { headers })
    : new ApiError('unauthorized', 'No such API key. Send one as `Authorization: Bearer hw_…`.', { headers });
}
