/** Calls of the tenant's Durable Object that several routes make about a head. */
import type { Context } from 'hono';
import type { AppEnv } from '../env.ts';
import type { Pointer } from '../stores/layout.ts';
import { headNotFound, type PointerStore } from '../stores/pointers.ts';
import { callTenant } from '../tenant/call.ts';
import { type TenantStub } from '../tenant/stub.ts';
import { type Refused } from '../tenant/refused.ts';
import type { TaughtResult } from '../tenant/teach/teaching.ts';

/** As much of a request's context as is used. */
type Caller = Pick<Context<AppEnv>, 'env' | 'var'>;

/** @param call answers null where there is no such head. @throws ApiError head_not_found */
export async function lookUp<T>(
  c: Caller,
  head: string,
  call: (stub: TenantStub) => Promise<T>,
): Promise<NonNullable<Exclude<Awaited<T>, Refused>>> {
  const found = await callTenant(c.env, c.var.principal.tenant, call);
  if (found == null) throw headNotFound(head);
  return found;
}

/** Changes which versions there are, or which answer. */
export type Change = (stub: TenantStub) => Promise<Pointer | Refused>;

/** What comes of it, this isolate knows from now on. */
export async function change(c: Caller, pointers: PointerStore, head: string, call: Change): Promise<void> {
  const { tenant } = c.var.principal;
  pointers.remember(tenant, head, await callTenant(c.env, tenant, call));
}

/** @param call changes what the head was taught, and retrains it. This isolate knows the new version from now on. */
export async function retrain(
  c: Caller,
  pointers: PointerStore,
  head: string,
  call: (stub: TenantStub) => Promise<TaughtResult | Refused>,
): Promise<TaughtResult> {
  const { tenant } = c.var.principal;
  const result = await callTenant(c.env, tenant, call);
  if (result.pointer !== null) pointers.remember(tenant, head, result.pointer);
  return result;
}
