/** A tenant's Durable Object as its callers see it. */
import type { Tenant } from './tenant.ts';

type Remote<T> = {
  [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

/**
 * The Durable Object as seen from outside: every method answers with a copy of its plain result. The platform's own type
 * of a stub lets each result be a promise of promises, which unions don't survive.
 */
export type TenantStub = Remote<Omit<Tenant, 'alarm' | 'fetch'>>;

/** As much of the binding as is used. */
export interface TenantNamespace {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): TenantStub;
}
