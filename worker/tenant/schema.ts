/**
 * The tables of a tenant's database, as the list of steps that made them. A step once released never changes: a new
 * one is added at the end. docs/storage.md describes every column.
 */
const MIGRATIONS: readonly string[] = [
  // 1: keys, heads and their versions; what KV and R2 still have to hear of.
  `
  CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;

  -- A row stays when its head is deleted (current IS NULL), so that no version number is ever used twice.
  CREATE TABLE heads (
    name TEXT PRIMARY KEY,
    current INTEGER,
    last_version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE versions (
    head TEXT NOT NULL,
    version INTEGER NOT NULL,
    committed INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (head, version)
  ) STRICT;
  CREATE UNIQUE INDEX one_version_a_content ON versions (head, sha256) WHERE committed;

  -- KV entries that must be written again: kind 'head' with a name, kind 'key' with a hash.
  CREATE TABLE outbox (
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (kind, subject)
  ) STRICT;

  -- R2 objects that must be deleted when due. An object stands here before it is written and is taken off by the commit.
  CREATE TABLE garbage (
    object_name TEXT PRIMARY KEY,
    due_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX garbage_by_due ON garbage (due_at);
  `,
];

/** Whether a tenant was ever made here. Asking leaves no trace: anyone may name a tenant that doesn't exist. */
export function hasTables(sql: SqlStorage): boolean {
  return (
    sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'").toArray()
      .length > 0
  );
}

/** Brings the tables to the newest form, in one transaction. */
export function migrate(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    const { sql } = storage;
    sql.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL) STRICT');
    const [row] = sql.exec<{ version: number }>('SELECT version FROM schema_version').toArray();
    if (row === undefined) sql.exec('INSERT INTO schema_version VALUES (0)');
    for (const step of MIGRATIONS.slice(row?.version ?? 0)) sql.exec(step);
    sql.exec('UPDATE schema_version SET version = ?', MIGRATIONS.length);
  });
}
