/** A tenant's Durable Object as the Worker calls it: its methods, in groups. `stub.heads.list(…)` is one call. */
import type { BackupTarget } from './backup/backup-target.ts';
import type { Restore } from './backup/restore.ts';
import type { HeadTarget } from './heads/head-target.ts';
import type { KeyTarget } from './key-target.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { Rebasing } from './rebase/rebase.ts';
import type { ExampleTarget } from './teach/example-target.ts';
import type { Teaching } from './teach/teaching.ts';
import type { UsageTarget } from './usage-target.ts';

/** The Durable Object has a getter for each (tenant.ts). */
export interface TenantTargets {
  /** Made, set up, deleted. */
  readonly tenant: Lifecycle;
  readonly keys: KeyTarget;
  /** With their versions. */
  readonly heads: HeadTarget;
  /** What changes examples, and trains. */
  readonly teaching: Omit<Teaching, 'resume'>;
  readonly examples: ExampleTarget;
  /** Moving a head to the default code space. */
  readonly rebase: Rebasing;
  readonly backup: BackupTarget;
  readonly restore: Restore;
  readonly usage: UsageTarget;
}

/**
 * Every method answers with a copy of its plain result. The platform's own type of a stub lets each result be a promise of
 * promises, which unions don't survive.
 */
type Remote<T> = {
  readonly [K in keyof T & string]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

export type TenantStub = { readonly [G in keyof TenantTargets]: Remote<TenantTargets[G]> };

/** As much of the binding as is used. */
export interface TenantNamespace {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): TenantStub;
}
