/** Isolates, tenants, heads and pictures for the Worker's tests: the real application on the real local stores. */
import {
  createExecutionContext,
  runDurableObjectAlarm,
  runInDurableObject,
  waitOnExecutionContext,
} from 'cloudflare:test';
import { env as bindings } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { Problem } from '../../src/api/index.ts';
import { spaceOfPlan, writeHead, type Head } from '../../src/head/index.ts';
import { trainHead } from '../../src/learn/ridge/train.ts';
import { createApp } from '../../worker/app.ts';
import { type App } from '../../worker/env.ts';
import type { Env } from '../../worker/env.ts';
import { runtime } from '../../worker/isolate/runtime.ts';
import { type Runtime } from '../../worker/isolate/backbones.ts';
import { USAGE_FLUSH_MS } from '../../worker/limits.ts';
import type { TenantNamespace, TenantStub } from '../../worker/tenant/stub.ts';
import type { Tenant } from '../../worker/tenant/tenant.ts';
import { EMBEDDED } from '../fixtures/images/embedded.ts';
import { fromBase64 } from '../fixtures/images/expected.ts';
import linalg from '../../build/wasm/linalg.wasm?module';

export const ADMIN_SECRET = 'the admin secret of the tests';

declare global {
  namespace Cloudflare {
    interface Env {
      readonly TENANTS: DurableObjectNamespace<Tenant>;
      /** Counts as REQUESTS does, up to 3 (vitest.config.ts). */
      readonly FEW_REQUESTS: RateLimit;
    }
  }
}

type Target = Disposable & Readonly<Record<PropertyKey, (...args: unknown[]) => Promise<unknown>>>;

/** Vitest stands before the Durable Object, and has its targets as promises only: they come first, then their methods. */
const TENANTS: TenantNamespace = {
  idFromName: (name) => bindings.TENANTS.idFromName(name),
  get(id) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the platform's type knows the targets by name
    const stub = bindings.TENANTS.get(id) as unknown as Readonly<Record<PropertyKey, Promise<Target>>>;
    const methodsOf = (group: PropertyKey) =>
      new Proxy(
        {},
        {
          get:
            (_, method) =>
            async (...args: unknown[]) => {
              const target = await stub[group];
              try {
                return await target[method](...args);
              } finally {
                target[Symbol.dispose]();
              }
            },
        },
      );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it has whatever is read
    return new Proxy({}, { get: (_, group) => methodsOf(group) }) as TenantStub;
  },
};

export const testEnv: Env = {
  ...bindings,
  TENANTS,
  HEADWATER_ADMIN_SECRET: ADMIN_SECRET,
};

/** Counts calls of the stores. */
export function counted(stores: Env = testEnv): { env: Env; calls: string[] } {
  const calls: string[] = [];
  const watch = <T extends object>(name: string, store: T): T =>
    new Proxy(store, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]) => {
          calls.push(`${name}.${String(property)}`);
          return Reflect.apply(value, target, args) as unknown;
        };
      },
    });
  const env = {
    ...stores,
    HEADS: watch('R2', stores.HEADS),
    POINTERS: watch('KV', stores.POINTERS),
    TENANTS: watch('DO', stores.TENANTS),
  };
  return { env, calls };
}

/** A tenant's Durable Object, to look inside. */
export const stubOf = (tenant: string): DurableObjectStub<Tenant> =>
  bindings.TENANTS.get(bindings.TENANTS.idFromName(tenant));

/** The same, to call. */
export const tenantOf = (tenant: string): TenantStub => TENANTS.get(TENANTS.idFromName(tenant));

/** Something of which some members are others. */
export function changed<T extends object>(whole: T, members: Partial<Record<keyof T, unknown>>): T {
  const own = new Map<PropertyKey, unknown>(Object.entries(members));
  return new Proxy(whole, {
    get(target, name): unknown {
      if (own.has(name)) return own.get(name);
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Lets a deleted tenant's second sweep be due, and sweeps. */
export async function sweep(tenant: string): Promise<void> {
  await runInDurableObject(stubOf(tenant), async (_, { storage }) => {
    storage.sql.exec("UPDATE marks SET name = 'deleting 0' WHERE name LIKE 'deleting %'");
    await storage.setAlarm(Date.now() + 60_000);
  });
  await runDurableObjectAlarm(stubOf(tenant));
}

const realWait = scheduler.wait.bind(scheduler);

/** Isolates tell what they count at once, until mocks are restored: for tests of what is counted, not of when it is told. */
export function tellCountsAtOnce(): void {
  vi.spyOn(scheduler, 'wait').mockImplementation((ms, options) =>
    realWait(ms === USAGE_FLUSH_MS ? 0 : ms, options),
  );
}

/** Waits for what happens after an answer: usage that is counted, a queue, an alarm. What takes longer than a minute never comes. */
export const soon = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 60_000 });

export interface CallOptions {
  readonly key?: string;
  readonly method?: string;
  readonly type?: string;
  readonly headers?: Record<string, string>;
  readonly body?: BodyInit | Uint8Array | null;
  readonly json?: unknown;
}

/** An application with caches of its own: two of them are two isolates on the same stores. */
export class Isolate {
  readonly #app: App;
  readonly #env: Env;

  constructor(env: Env = testEnv, its: Runtime = runtime) {
    this.#env = env;
    this.#app = createApp(its);
  }

  async call(path: string, options: CallOptions = {}): Promise<Response> {
    const { key, type, json } = options;
    const headers = new Headers(options.headers);
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    if (type !== undefined) headers.set('content-type', type);
    if (json !== undefined) headers.set('content-type', 'application/json');
    const body = json === undefined ? (options.body ?? null) : JSON.stringify(json);
    const method = options.method ?? (body === null ? 'GET' : 'POST');
    const request = new Request(`https://headwater.example${path}`, { method, headers, body });
    const context = createExecutionContext();
    const response = await this.#app.fetch(request, this.#env, context);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    // What a request leaves running would otherwise meet the next test.
    const copy = response.clone();
    await copy.arrayBuffer();
    await waitOnExecutionContext(context);
    return response;
  }

  async newTenant(name = 'a tenant'): Promise<{ id: string; key: string }> {
    const response = await this.call('/v1/tenants', { key: ADMIN_SECRET, json: { name } });
    expect(response.status).toBe(201);
    return response.json();
  }

  async newKey(admin: string, scopes: string[]): Promise<{ id: string; key: string }> {
    const response = await this.call('/v1/keys', { key: admin, json: { name: 'a key', scopes } });
    expect(response.status).toBe(201);
    return response.json();
  }

  put(key: string, head: string, file: Uint8Array): Promise<Response> {
    return this.call(`/v1/heads/${head}`, { key, method: 'PUT', body: file });
  }

  classify(key: string, head: string, query = ''): Promise<Response> {
    return this.call(`/v1/heads/${head}/classify${query}`, { key, type: 'image/jpeg', body: JPEG });
  }
}

/** Status and code of a problem, whose other members must be as RFC 9457 wants them. */
export async function problemOf(
  response: Response,
): Promise<{ status: number; code: string; field?: string }> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const problem = await response.json<Problem>();
  expect(problem).toMatchObject({ status: response.status, instance: response.headers.get('x-request-id') });
  expect(problem.title).toBeTypeOf('string');
  expect(problem.detail).toMatch(/\S/);
  const { code, field } = problem;
  return field === undefined ? { status: response.status, code } : { status: response.status, code, field };
}

export const picture = (name: string): Uint8Array => fromBase64(EMBEDDED[name]);
export const JPEG = picture('progressive.jpg');

/** A head that classifies real codes, trained on made-up ones. Other labels or seeds give other files. */
export function makeHead(
  labels: string[] = ['cat', 'dog'],
  seed = 1,
  { plan, input }: Pick<Runtime, 'plan' | 'input'> = runtime,
): Promise<Head> {
  const { taps, statistics, codeLength, input: other } = spaceOfPlan(plan, input);
  const each = 3;
  const n = labels.length * each;
  let state = seed;
  const random = () => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  return trainHead(
    {
      backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
      taps,
      ...(statistics === undefined ? {} : { statistics }),
      ...(other === undefined ? {} : { input: other }),
      labels,
      codes: Float16Array.from({ length: n * codeLength }, random),
      targets: Uint16Array.from({ length: n }, (_, i) => Math.floor(i / each)),
    },
    { linalg },
  );
}

export async function makeHeadFile(labels?: string[], seed?: number): Promise<Uint8Array> {
  return writeHead(await makeHead(labels, seed));
}

/** Bytes that come piece by piece, and how many of them were read. */
export function slowBytes(
  total: number,
  piece = 1 << 20,
): { stream: ReadableStream<Uint8Array>; sent: () => number } {
  let sent = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (sent >= total) {
        controller.close();
        return;
      }
      controller.enqueue(new Uint8Array(piece));
      sent += piece;
    },
  });
  return { stream, sent: () => sent };
}

/** What a caller sends who hangs up. */
export function brokenBytes(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull(controller) {
      controller.error(new Error('gone'));
    },
  });
}
