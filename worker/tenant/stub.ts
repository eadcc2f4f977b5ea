/** A tenant's Durable Object as the Worker calls it: its methods, in groups. `stub.heads.list(…)` is one call. */
import type { DurableObject } from 'cloudflare:workers';
import type { Tenant } from './tenant.ts';

/**
 * Every method answers with a copy of its plain result. The platform's own type of a stub lets each result be a promise of
 * promises, which unions don't survive.
 */
type Remote<T> = {
  readonly [K in keyof T & string]: T[K] extends (...args: infer A) => infer R
    ? (...args: A) => Promise<Awaited<R>>
    : never;
};

export type TenantStub = { readonly [G in keyof Omit<Tenant, keyof DurableObject>]: Remote<Tenant[G]> };

/** As much of the binding as is used. */
export interface TenantNamespace {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): TenantStub;
}
