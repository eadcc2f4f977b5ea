/** The tenant's API keys, as rows. */
import { Scope, type KeySummary } from '../../src/api/index.ts';
import { MAX_KEYS_PER_TENANT, MAX_REVOKED_KEYS } from '../limits.ts';
import type { KeyEntry } from '../stores/layout.ts';
import { refuse, type Refused } from './refused.ts';
import type { Outbox } from './outbox.ts';
import { Table, type Sql } from './sql.ts';

export interface NewKey {
  readonly id: string;
  readonly hash: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
}

export type FoundKey =
  | { readonly status: 'active'; readonly id: string; readonly scopes: Scope[] }
  | { readonly status: 'revoked' | 'unknown' };

/** The new key, and the hash of the one that it replaces. */
export interface Rotated {
  readonly summary: KeySummary;
  readonly hash: string;
}

interface Row extends Record<string, SqlStorageValue> {
  id: string;
  hash: string;
  name: string;
  scopes: string;
  created_at: number;
  revoked_at: number | null;
}

export class Keys extends Table {
  readonly #outbox: Outbox;

  constructor(sql: Sql, outbox: Outbox) {
    super(sql);
    this.#outbox = outbox;
  }

  /** @param which a key's hash, or its id. */
  find(which: string): FoundKey {
    const [row] = this.sql<Row>`SELECT * FROM api_keys WHERE hash = ${which} OR id = ${which}`;
    if (row === undefined) return { status: 'unknown' };
    if (row.revoked_at !== null) return { status: 'revoked' };
    return { status: 'active', id: row.id, scopes: parseScopes(row.scopes) };
  }

  list(): KeySummary[] {
    return this.sql<Row>`SELECT * FROM api_keys ORDER BY created_at, id`.map(summaryOf);
  }

  /** Making the same key again (a call that was repeated) changes nothing. */
  create(key: NewKey, now: number): KeySummary | Refused {
    const [{ live }] = this.sql<{ live: number }>`
      SELECT count(*) AS live FROM api_keys WHERE revoked_at IS NULL AND id <> ${key.id}`;
    if (live >= MAX_KEYS_PER_TENANT) {
      return refuse('limit_reached', `This tenant has ${live} keys, as many as it may. Revoke one first.`);
    }
    this.sql`
      INSERT INTO api_keys (id, hash, name, scopes, created_at)
        VALUES (${key.id}, ${key.hash}, ${key.name}, ${JSON.stringify(key.scopes)}, ${now})
        ON CONFLICT (id) DO NOTHING`;
    this.#outbox.add('key', key.hash);
    return summaryOf(this.#row(key.id)!);
  }

  /** Replaces a key by one with the same name and scopes. @returns the new one, and the old one's hash. */
  rotate(id: string, key: Pick<NewKey, 'id' | 'hash'>, now: number): Rotated | Refused {
    const row = this.#row(id);
    if (row === undefined || row.revoked_at !== null)
      return refuse('key_not_found', `There is no key with the id '${id}' that works.`);
    this.#end(row, now);
    const summary = this.create({ ...key, name: row.name, scopes: parseScopes(row.scopes) }, now);
    return 'refused' in summary ? summary : { summary, hash: row.hash };
  }

  /** @returns the hash, by which the caches know the key. Revoking again changes nothing. */
  revoke(id: string, now: number): { hash: string } | Refused {
    const row = this.#row(id);
    if (row === undefined) return refuse('key_not_found', `There is no key with the id '${id}'.`);
    if (row.revoked_at !== null) return { hash: row.hash };
    if (parseScopes(row.scopes).includes('admin') && this.#admins() === 1) {
      return refuse(
        'conflict',
        'This is the last key with the scope admin. Make another one before revoking it.',
      );
    }
    this.#end(row, now);
    return { hash: row.hash };
  }

  /** All of them, the last admin's too. */
  revokeAll(now: number): void {
    this.sql`UPDATE api_keys SET revoked_at = coalesce(revoked_at, ${now})`;
    for (const { hash } of this.sql<{ hash: string }>`SELECT hash FROM api_keys`)
      this.#outbox.add('key', hash);
  }

  /** What KV should hold of a key, or null for nothing. */
  entry(tenant: string, hash: string): KeyEntry | null {
    const found = this.find(hash);
    return found.status === 'active' ? { tenant, id: found.id, scopes: found.scopes } : null;
  }

  /** The key stops working; surplus old ones of those that stopped are deleted. */
  #end({ id, hash }: Row, now: number): void {
    this.sql`UPDATE api_keys SET revoked_at = ${now} WHERE id = ${id}`;
    this.sql`DELETE FROM api_keys WHERE id IN
         (SELECT id FROM api_keys WHERE revoked_at IS NOT NULL
            ORDER BY revoked_at DESC, id = ${id} DESC LIMIT -1 OFFSET ${MAX_REVOKED_KEYS})`;
    this.#outbox.add('key', hash);
  }

  #row(id: string): Row | undefined {
    return this.sql<Row>`SELECT * FROM api_keys WHERE id = ${id}`[0];
  }

  #admins(): number {
    const rows = this.sql<{ scopes: string }>`SELECT scopes FROM api_keys WHERE revoked_at IS NULL`;
    return rows.filter(({ scopes }) => parseScopes(scopes).includes('admin')).length;
  }
}

const parseScopes = (text: string): Scope[] => Scope.array().parse(JSON.parse(text));

function summaryOf(row: Row): KeySummary {
  return {
    id: row.id,
    name: row.name,
    scopes: parseScopes(row.scopes),
    created_at: new Date(row.created_at).toISOString(),
    ...(row.revoked_at === null ? {} : { revoked_at: new Date(row.revoked_at).toISOString() }),
  };
}
