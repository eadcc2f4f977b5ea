/** The Worker's bindings (wrangler.toml) and what its middleware leaves for the routes. */
import type { Principal } from './auth.ts';
import type { TenantNamespace } from './tenant/call.ts';

export interface Env {
  readonly HEADS: R2Bucket;
  readonly POINTERS: KVNamespace;
  readonly TENANTS: TenantNamespace;
  /** Who knows it creates tenants. A secret, not a variable; without it no tenant can be created. */
  readonly HEADWATER_ADMIN_SECRET?: string;
}

/** What a request carries from the middleware to its route and to its line in the log. */
export interface Variables {
  requestId: string;
  principal: Principal;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}
