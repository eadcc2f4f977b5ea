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

  -- A row stays when its head is deleted (current IS NULL), so that no version number is ever used twice: see DeletedHeads.
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
  // 2: teaching. Examples and what was made of them; versions by name; canary and shadow; usage.
  `
  -- The state of a head's examples at which a version was trained; null where it was uploaded.
  ALTER TABLE versions ADD COLUMN trained_revision INTEGER;
  ALTER TABLE versions ADD COLUMN held_back TEXT;

  ALTER TABLE heads ADD COLUMN canary_version INTEGER;
  ALTER TABLE heads ADD COLUMN canary_percent INTEGER;
  ALTER TABLE heads ADD COLUMN shadow_version INTEGER;
  ALTER TABLE heads ADD COLUMN settings TEXT;

  CREATE TABLE version_names (
    head TEXT NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (head, name)
  ) STRICT;

  -- revision grows with each change of the examples; first_revision is where it began. forgotten_from: the earliest revision of an example that was forgotten and
  -- that a version may still know; not null until the head was trained without it.
  CREATE TABLE taught_heads (
    head TEXT PRIMARY KEY,
    backbone TEXT NOT NULL,
    first_revision INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    forgotten_from INTEGER
  ) STRICT;

  CREATE TABLE examples (
    id TEXT PRIMARY KEY,
    head TEXT NOT NULL,
    label TEXT NOT NULL,
    picture TEXT NOT NULL,
    source TEXT NOT NULL,
    code BLOB NOT NULL,
    added_revision INTEGER NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX one_example_a_picture ON examples (head, picture);
  CREATE INDEX examples_by_label ON examples (head, label);

  -- answer is null until the request was answered.
  CREATE TABLE idempotency (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    head TEXT NOT NULL,
    revision INTEGER NOT NULL,
    counts TEXT NOT NULL,
    answer TEXT,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX idempotency_by_age ON idempotency (created_at);
  `,
  // 3: what a training says about itself; it goes with its version.
  `
  CREATE TABLE reports (
    head TEXT NOT NULL,
    version INTEGER NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (head, version)
  ) STRICT;
  CREATE TRIGGER report_goes_with_version AFTER DELETE ON versions
  BEGIN DELETE FROM reports WHERE head = OLD.head AND version = OLD.version; END;
  `,
  // Requests by day and kind; how often a version in the shadow disagreed; predictions kept for review.
  `
  CREATE TABLE usage (
    day TEXT NOT NULL,
    kind TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, kind)
  ) STRICT;

  CREATE TABLE shadow_counts (
    head TEXT NOT NULL,
    version INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    disagreements INTEGER NOT NULL,
    PRIMARY KEY (head, version)
  ) STRICT;

  CREATE TABLE captures (
    id TEXT PRIMARY KEY,
    head TEXT NOT NULL,
    version INTEGER NOT NULL,
    picture TEXT NOT NULL,
    code BLOB NOT NULL,
    predictions TEXT NOT NULL,
    unknown TEXT NOT NULL,
    worth REAL NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX one_capture_a_picture ON captures (head, picture);
  CREATE INDEX captures_by_worth ON captures (head, worth);
  `,
  // What the tenant is in the middle of, or was: see Standing.
  `
  CREATE TABLE marks (name TEXT PRIMARY KEY) STRICT;
  `,
  // Pictures of examples, where the tenant keeps them: the last part of the object's name, and its size.
  `
  ALTER TABLE tenant ADD COLUMN settings TEXT;
  ALTER TABLE examples ADD COLUMN image TEXT;
  ALTER TABLE examples ADD COLUMN image_bytes INTEGER;
  CREATE INDEX examples_with_image ON examples (head, image, image_bytes) WHERE image IS NOT NULL;
  `,
  // Of heads that were deleted and whose rows are gone: the highest numbers, and how many they were. See DeletedHeads.
  `
  ALTER TABLE tenant ADD COLUMN pruned_version INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tenant ADD COLUMN pruned_revision INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tenant ADD COLUMN pruned_heads INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX heads_that_do_not_answer ON heads (last_version, revision) WHERE current IS NULL;
  `,
  // KV's entry of the tenant, kind 'tenant' in the outbox.
  `
  INSERT INTO outbox SELECT 'tenant', id, 1 FROM tenant;
  `,
  // What lists tell of versions is a column, and so is how many a head has; a description stands by itself, and goes with
  // its version. Rows of before have no summary until Descriptions brings them up.
  `
  ALTER TABLE versions ADD COLUMN summary TEXT;
  CREATE INDEX versions_without_summary ON versions (head, version) WHERE summary IS NULL;
  CREATE INDEX versions_reserved ON versions (created_at) WHERE NOT committed;
  CREATE TABLE descriptions (
    head TEXT NOT NULL,
    version INTEGER NOT NULL,
    description TEXT NOT NULL,
    PRIMARY KEY (head, version)
  ) STRICT;
  CREATE TRIGGER description_goes_with_version AFTER DELETE ON versions
  BEGIN DELETE FROM descriptions WHERE head = OLD.head AND version = OLD.version; END;

  ALTER TABLE heads ADD COLUMN committed_versions INTEGER NOT NULL DEFAULT 0;
  UPDATE heads SET committed_versions =
    (SELECT count(*) FROM versions WHERE versions.head = heads.name AND committed);
  CREATE TRIGGER version_is_committed AFTER UPDATE OF committed ON versions WHEN NEW.committed > OLD.committed
  BEGIN UPDATE heads SET committed_versions = committed_versions + 1 WHERE name = NEW.head; END;
  CREATE TRIGGER version_is_gone AFTER DELETE ON versions WHEN OLD.committed
  BEGIN UPDATE heads SET committed_versions = committed_versions - 1 WHERE name = OLD.head; END;

  -- What each request or alarm asks for is found, not searched for.
  CREATE INDEX heads_that_must_forget ON taught_heads (head) WHERE forgotten_from IS NOT NULL;
  CREATE INDEX idempotency_by_head ON idempotency (head);
  `,
  // How many examples there are and what their pictures take, as triggers keep it, so that no request counts them. Which
  // kept pictures are shown, and how far the others are swept: see KeptPictures.
  `
  ALTER TABLE tenant ADD COLUMN example_count INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tenant ADD COLUMN image_bytes INTEGER NOT NULL DEFAULT 0;
  UPDATE tenant SET example_count = (SELECT count(*) FROM examples), image_bytes =
    (SELECT coalesce(sum(image_bytes), 0) FROM examples WHERE image IS NOT NULL);
  CREATE TRIGGER example_is_there AFTER INSERT ON examples
  BEGIN UPDATE tenant SET example_count = example_count + 1, image_bytes = image_bytes + coalesce(NEW.image_bytes, 0); END;
  CREATE TRIGGER example_is_gone AFTER DELETE ON examples
  BEGIN UPDATE tenant SET example_count = example_count - 1, image_bytes = image_bytes - coalesce(OLD.image_bytes, 0); END;
  CREATE TRIGGER image_changes AFTER UPDATE OF image_bytes ON examples
  BEGIN UPDATE tenant SET image_bytes = image_bytes + coalesce(NEW.image_bytes, 0) - coalesce(OLD.image_bytes, 0); END;

  ALTER TABLE tenant ADD COLUMN image_generation INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE tenant ADD COLUMN swept_head TEXT;
  ALTER TABLE tenant ADD COLUMN swept_image TEXT;

  CREATE TRIGGER shadow_count_goes_with_version AFTER DELETE ON versions
  BEGIN DELETE FROM shadow_counts WHERE head = OLD.head AND version = OLD.version; END;
  DELETE FROM shadow_counts WHERE NOT EXISTS
    (SELECT 1 FROM versions WHERE versions.head = shadow_counts.head AND versions.version = shadow_counts.version);
  `,
  // Codes of examples in other code spaces than the one that their head is trained in: the one that it is being moved to,
  // and those that its older versions were trained in, which go with the last of these versions. See SecondCodes.
  `
  CREATE TABLE code_spaces (
    id INTEGER PRIMARY KEY,
    head TEXT NOT NULL,
    origin TEXT NOT NULL,
    moving INTEGER NOT NULL,
    first_revision INTEGER,
    last_revision INTEGER
  ) STRICT;
  CREATE INDEX code_spaces_by_head ON code_spaces (head);
  CREATE UNIQUE INDEX one_move_a_head ON code_spaces (head) WHERE moving;

  CREATE TABLE second_codes (
    example TEXT NOT NULL,
    space INTEGER NOT NULL,
    fault TEXT,
    code BLOB,
    PRIMARY KEY (example, space)
  ) STRICT;
  CREATE INDEX second_codes_by_space ON second_codes (space, fault);

  CREATE TRIGGER space_goes_with_head AFTER DELETE ON taught_heads
  BEGIN DELETE FROM code_spaces WHERE head = OLD.head; END;
  CREATE TRIGGER space_goes_with_versions AFTER DELETE ON versions WHEN OLD.trained_revision IS NOT NULL
  BEGIN
    DELETE FROM code_spaces WHERE head = OLD.head AND NOT moving AND NOT EXISTS
      (SELECT 1 FROM versions WHERE versions.head = code_spaces.head AND committed
         AND trained_revision BETWEEN first_revision AND last_revision);
  END;
  CREATE TRIGGER second_codes_go_with_space AFTER DELETE ON code_spaces
  BEGIN DELETE FROM second_codes WHERE space = OLD.id; END;
  CREATE TRIGGER second_codes_go_with_example AFTER DELETE ON examples
  BEGIN DELETE FROM second_codes WHERE example = OLD.id; END;

  ALTER TABLE tenant ADD COLUMN second_code_count INTEGER NOT NULL DEFAULT 0;
  CREATE TRIGGER second_code_is_there AFTER INSERT ON second_codes
  BEGIN UPDATE tenant SET second_code_count = second_code_count + 1; END;
  CREATE TRIGGER second_code_is_gone AFTER DELETE ON second_codes
  BEGIN UPDATE tenant SET second_code_count = second_code_count - 1; END;
  `,
  // What the codes are of that wait for a label; null for those that came before it was written down.
  `
  ALTER TABLE captures ADD COLUMN space TEXT;
  `,
  // Releases from before this one set the version to what they know. After a rollback and an upgrade, steps that the tables
  // have behind them would then run again, and fail.
  `
  CREATE TRIGGER schema_version_grows BEFORE UPDATE ON schema_version WHEN NEW.version < OLD.version
  BEGIN SELECT RAISE(IGNORE); END;
  `,
];

/** Whether a tenant was ever made here. Looking writes nothing: anyone may name a tenant that does not exist. */
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
