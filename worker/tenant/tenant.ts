/**
 * One tenant's truth: a Durable Object with its own SQLite database, the single writer of keys, heads and versions. KV
 * and R2 hold what it says; a crash between the stores leaves rows from which its alarm does the rest (outbox.ts).
 * The Worker calls its targets (stub.ts). What can be expected to go wrong is answered as a value (call.ts).
 */
import { DurableObject } from 'cloudflare:workers';
import type { StoreBindings } from '../stores/bindings.ts';
import { BackupTarget } from './backup/backup-target.ts';
import { Restore } from './backup/restore.ts';
import { HeadTarget } from './heads/head-target.ts';
import { KeyTarget } from './key-target.ts';
import { Lifecycle } from './lifecycle.ts';
import { Rebasing } from './rebase/rebase.ts';
import { Removal, type Folder } from './removal.ts';
import { openRows } from './rows.ts';
import { ExampleTarget } from './teach/example-target.ts';
import { Teaching } from './teach/teaching.ts';
import { Training } from './teach/training.ts';
import { UsageTarget } from './usage-target.ts';
import { Writer } from './writer.ts';

export class Tenant extends DurableObject<StoreBindings> {
  readonly #rows = openRows(this.ctx.storage, this.env);
  readonly #writer = new Writer(this.ctx.storage, this.#rows);
  readonly #removal = new Removal(this.#rows, this.#writer.write, this.env, this.folders);
  readonly #targets = this.#compose();

  /** Of objects that others keep for the tenant, and that go with it. */
  protected get folders(): readonly Folder[] {
    return [];
  }

  // The groups that stub.ts is the type of. RPC finds what the prototype has, no fields.

  /** Made, set up, deleted. */
  get tenant() {
    return this.#targets.tenant;
  }

  get keys() {
    return this.#targets.keys;
  }

  /** With their versions. */
  get heads() {
    return this.#targets.heads;
  }

  /** What changes examples, and trains. */
  get teaching() {
    return this.#targets.teaching;
  }

  get examples() {
    return this.#targets.examples;
  }

  /** Moving a head to the default code space. */
  get rebase() {
    return this.#targets.rebase;
  }

  get backup() {
    return this.#targets.backup;
  }

  get restore() {
    return this.#targets.restore;
  }

  get usage() {
    return this.#targets.usage;
  }

  override async alarm(): Promise<void> {
    const { standing } = this.#rows;
    if (!standing.exists) return;
    await this.#writer.advance();
    if (standing.isDeleting) await this.#removal.finish();
    else if (standing.exists) await this.#targets.teaching.resume();
  }

  #compose() {
    const rows = this.#rows;
    const { write, writeHeads } = this.#writer;
    const training = new Training(rows, write, this.env);
    const teaching = new Teaching(rows, writeHeads, training);
    return {
      tenant: new Lifecycle(rows, write, this.#removal),
      keys: new KeyTarget(rows, write),
      heads: new HeadTarget(rows, writeHeads, this.#removal),
      teaching,
      examples: new ExampleTarget(rows, write),
      rebase: new Rebasing(rows, writeHeads, training, this.env),
      backup: new BackupTarget(rows, write, teaching),
      restore: new Restore(rows, write),
      usage: new UsageTarget(rows, write),
    };
  }
}
