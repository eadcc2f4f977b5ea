/** Calls of the tenant's Durable Object that several routes make about a head. */
import type { Pointer } from '../stores/layout.ts';
import { headNotFound, type PointerStore } from '../stores/pointers.ts';
import { callOwnTenant, type TenantContext } from '../tenant/call.ts';
import { type TenantStub } from '../tenant/stub.ts';
import { type Refused } from '../tenant/refused.ts';
import type { TaughtResult } from '../tenant/teach/teaching.ts';

/** @param call answers null where there is no such head. @throws ApiError head_not_found */
export async function lookUp<T>(
  c: TenantContext,
  head: string,
  call: (stub: TenantStub) => Promise<T>,
): Promise<NonNullable<Exclude<Awaited<T>, Refused>>> {
  const found = await callOwnTenant(c, call);
  if (found == null) throw headNotFound(head);
  return found;
}

/** Changes which versions there are, or which answer. */
export type Change = (stub: TenantStub) => Promise<Pointer | Refused>;

/** What comes of it, this isolate knows from now on. */
export async function change(
  c: TenantContext,
  pointers: PointerStore,
  head: string,
  call: Change,
): Promise<void> {
  pointers.remember(c.var.principal.tenant, head, await callOwnTenant(c, call));
}

/** @param call changes what the head was taught, and retrains it. This isolate knows the new version from now on. */
export async function retrain(
  c: TenantContext,
  pointers: PointerStore,
  head: string,
  call: (stub: TenantStub) => Promise<TaughtResult | Refused>,
): Promise<TaughtResult> {
  const result = await callOwnTenant(c, call);
  if (result.pointer !== null) pointers.remember(c.var.principal.tenant, head, result.pointer);
  return result;
}
