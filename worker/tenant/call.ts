/**
 * Calls a tenant's Durable Object. What can be expected to go wrong comes back as a value (errors lose their class on
 * the way) and is thrown here; a call that the runtime lost is made once more where it says that this may help.
 */
import type { Env, Principal } from '../env.ts';
import { ApiError } from '../http/problem.ts';
import type { Refused } from './refused.ts';
import type { TenantStub } from './stub.ts';

/** As much of a request's context as is used. */
export interface TenantContext {
  readonly env: Env;
  readonly var: { readonly principal: Principal };
}

/** @throws ApiError what the Durable Object refused with; overloaded */
export async function callTenant<T>(
  env: Env,
  tenant: string,
  call: (stub: TenantStub) => Promise<T>,
): Promise<Exclude<Awaited<T>, Refused>> {
  const result = await call(stubOf(env, tenant)).catch((error: unknown) => {
    if (has(error, 'overloaded')) throw busy(error);
    if (!has(error, 'retryable')) throw error;
    // A stub is of no use after such an error.
    return call(stubOf(env, tenant));
  });
  assertAccepted(result);
  return result;
}

/** Calls the tenant to which the API key of a request belongs. @throws as callTenant */
export function callOwnTenant<T>(
  { env, var: { principal } }: TenantContext,
  call: (stub: TenantStub) => Promise<T>,
) {
  return callTenant(env, principal.tenant, call);
}

function stubOf(env: Env, tenant: string): TenantStub {
  return env.TENANTS.get(env.TENANTS.idFromName(tenant));
}

function assertAccepted<T>(value: T): asserts value is Exclude<T, Refused> {
  if (!isRefused(value)) return;
  const { code, detail, conflicts } = value.refused;
  throw new ApiError(code, detail, { conflicts });
}

function isRefused(value: unknown): value is Refused {
  return typeof value === 'object' && value !== null && 'refused' in value;
}

/** The runtime marks its errors with properties: developers.cloudflare.com/durable-objects/best-practices/error-handling */
function has(error: unknown, property: 'retryable' | 'overloaded'): boolean {
  return error instanceof Error && Reflect.get(error, property) === true;
}

function busy(cause: unknown): ApiError {
  return new ApiError('overloaded', "This tenant's store is too busy. Try again in a moment.", {
    cause,
    headers: { 'retry-after': '1' },
  });
}
