/** The Worker's bindings (wrangler.toml) and what its middleware leaves for the routes. */
import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Scope } from '../src/api/index.ts';
import type { EngineName } from '../src/backbone/choose.ts';
import type { RequestWork } from './isolate/request-work.ts';
import type { StoreBindings } from './stores/bindings.ts';
import type { TenantNamespace } from './tenant/stub.ts';

export interface Env extends StoreBindings {
  readonly TENANTS: TenantNamespace;
  /** The console's files. */
  readonly ASSETS?: Fetcher;
  /** Counts requests for a whole location; without it each isolate counts for itself. */
  readonly REQUESTS?: RateLimit;
  /** Counts unknown keys of an address for a whole location; without it each isolate counts for itself. */
  readonly KEY_MISSES?: RateLimit;
  /** Overrides MAX_REQUESTS_PER_WINDOW where there is no such binding. */
  readonly HEADWATER_MAX_REQUESTS?: string;
  /** Every request, for dashboards; optional. */
  readonly ANALYTICS?: AnalyticsEngineDataset;
  /** Who knows it creates tenants. A secret, not a variable; without it no tenant can be created. */
  readonly HEADWATER_ADMIN_SECRET?: string;
  /** The secret that keys' check values are made with (key-check.ts). Without it keys have none. */
  readonly HEADWATER_KEY_SECRET?: string;
}

declare global {
  namespace Cloudflare {
    /** What is looked at when the isolate starts, before there is a request. */
    interface Env {
      readonly HEADS: R2Bucket;
      readonly POINTERS: KVNamespace;
      /** Which engine runs the backbones that it can run, one of ENGINES in src/backbone/choose.ts; unset, the one that every host uses. */
      readonly HEADWATER_ENGINE?: EngineName;
    }
  }
}

/** What a request is counted as in the tenant's usage. Its route declares it (requireScope). */
export type RequestKind = 'classify' | 'classify-batch' | 'embed' | 'teach' | 'train' | 'feedback' | 'manage';

/** The tenant that a request speaks for, and the key it does so with. */
export interface Principal {
  readonly tenant: string;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
}

/** What a request carries from the middleware to its route and to its line in the log. */
export interface Variables {
  /** Made when it is first needed: observe.ts. */
  requestId?: string;
  /** The same: request-work.ts. */
  work?: RequestWork;
  principal: Principal;
  /** None where the request is not counted. */
  kind?: RequestKind;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}

/** What routes are added to. */
export type App = OpenAPIHono<AppEnv>;
