/**
 * The Worker on local workerd, with R2, KV and Durable Objects kept in a folder. Bindings come from wrangler.toml, the
 * code from build/worker, so that what runs here is what would be deployed.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from 'miniflare';
import { unstable_getMiniflareWorkerOptions } from 'wrangler';
import { root } from './build/stale.ts';

export interface LocalWorkerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** Folder of the stores; undefined keeps them in memory. */
  readonly state?: string;
  readonly adminSecret: string;
  /** The Worker's HEADWATER_KEY_SECRET. Default: one that is kept beside the stores. */
  readonly keySecret?: string;
  /** Folder of the bundle. Default: build/worker. */
  readonly bundle?: string;
  /** Workers on the same stores, each with caches of its own. Default: 1. */
  readonly isolates?: 1 | 2;
  /** The Worker's HEADWATER_ENGINE. Default: unset. */
  readonly engine?: string;
  /** What to do with a line that the Worker logs. Default: drop it. */
  readonly onLog?: (line: string) => void;
  /** Opens V8's inspector to the isolate, for programs that measure its heap. */
  readonly inspected?: boolean;
  /** What runs in place of the bundle's entry, for tests. Default: nothing. */
  readonly wrapper?: Wrapper;
}

/** A module that imports the bundle as './index.js' and exports what it does, and the services that it calls. */
export interface Wrapper {
  readonly source: string;
  readonly services: Readonly<Record<string, (request: { readonly url: string }) => Promise<Response>>>;
}

export interface LocalWorker {
  readonly url: URL;
  /** Where the second isolate answers, if there is one. */
  readonly second: URL | undefined;
  /** The inspector's WebSocket, where it was asked for. */
  readonly inspector: URL | undefined;
  /** Names of all that R2 and KV hold, for tests. */
  stored(): Promise<{ readonly objects: string[]; readonly entries: Record<string, unknown> }>;
  close(): Promise<void>;
}

const MODULE_TYPES = [
  ['.js', 'ESModule'],
  ['.wasm', 'CompiledWasm'],
  ['.safetensors', 'Data'],
] as const;

/**
 * workerd keeps some 20 to 60 kB outside V8's heap for each request until a full garbage collection. Nothing here limits
 * an isolate's memory as Cloudflare does, so V8 sees no reason for one, and the process would grow by gigabytes. With these
 * flags every collection is a full one, after 8 MB of new objects: after 4 a training takes twice as long, after 16 the
 * process holds half as much again. A few collections without a call would throw a function's code away, too soon where all
 * of them count. Another value of the variable goes before them.
 */
const V8_FLAGS =
  '--gc-global --min-semi-space-size=8 --max-semi-space-size=8 --no-flush-bytecode --retain-maps-for-n-gc=100000';

/**
 * Starts the Worker and waits until it answers.
 * @throws Error with a sentence for the user when the port is taken or workerd does not come up.
 */
export async function startLocalWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const { wrapper } = options;
  const host = options.host ?? LOOPBACK;
  await assertPortFree(host, options.port);
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] ??= V8_FLAGS;
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(root, 'wrangler.toml'));
  const bundle = options.bundle ?? join(root, 'build/worker');
  const worker = {
    ...workerOptions,
    name: 'headwater',
    modulesRoot: bundle,
    modules: bundledModules(bundle, wrapper),
    unsafeDirectSockets: [{ host, port: options.port, entrypoint: DIRECT }],
    // What stands in for it here writes to the disk, and waits for it, in every request. The isolate counts by itself instead.
    ratelimits: {},
    bindings: {
      HEADWATER_ADMIN_SECRET: options.adminSecret,
      HEADWATER_KEY_SECRET: options.keySecret ?? keptSecret(options.state),
      ...(options.engine === undefined ? {} : { HEADWATER_ENGINE: options.engine }),
    },
    ...(wrapper === undefined ? {} : { serviceBindings: wrapper.services }),
  };
  const workers = options.isolates === 2 ? [worker, { ...worker, ...SECOND_ISOLATE }] : [worker];
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      workers,
      host,
      port: 0,
      log: new Log(LogLevel.ERROR),
      handleStructuredLogs: ({ message }: { message: string }) => options.onLog?.(message),
      ...(options.inspected === true ? { inspectorPort: 0 } : {}),
      ...(options.state === undefined ? {} : { resourcePersistencePath: options.state }),
    }),
  );
  await miniflare.ready;
  const url = await miniflare.unsafeGetDirectURL(worker.name, DIRECT);
  const second = options.isolates === 2 ? await miniflare.unsafeGetDirectURL(SECOND, DIRECT) : undefined;
  const inspector =
    options.inspected === true
      ? new URL(`/core:user:${worker.name}`, await miniflare.getInspectorURL())
      : undefined;
  return {
    url,
    second,
    inspector,
    stored: () => storedIn(miniflare, worker.name),
    close: () => miniflare.dispose(),
  };
}

async function storedIn(
  miniflare: Miniflare,
  worker: string,
): Promise<{ objects: string[]; entries: Record<string, unknown> }> {
  const heads = await miniflare.getR2Bucket('HEADS', worker);
  const pointers = await miniflare.getKVNamespace('POINTERS', worker);
  const objects: string[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await heads.list(cursor === undefined ? {} : { cursor });
    objects.push(...page.objects.map(({ key }) => key));
    if (!page.truncated) break;
    cursor = page.cursor;
  }
  const entries: Record<string, unknown> = {};
  for (let cursor: string | undefined; ;) {
    const page = await pointers.list(cursor === undefined ? {} : { cursor });
    for (const { name } of page.keys) entries[name] = await pointers.get(name, 'json');
    if (page.list_complete) break;
    cursor = page.cursor;
  }
  return { objects, entries };
}

/** Keys of these stores go on working when the Worker is started again. */
function keptSecret(state: string | undefined): string {
  const fresh = randomBytes(32).toString('base64url');
  if (state === undefined) return fresh;
  const file = join(state, 'key-secret');
  mkdirSync(state, { recursive: true });
  if (!existsSync(file)) writeFileSync(file, fresh, { mode: 0o600 });
  return readFileSync(file, 'utf8').trim();
}

const LOOPBACK = '127.0.0.1';
const SECOND = 'headwater-second';

/**
 * The Worker's default entrypoint under another name. Under its own name, miniflare puts four Workers before it that look
 * for a page first: up to 2 ms of each request, and 20 ms with a long path. This Worker serves its pages itself (worker/http/pages.ts).
 */
const DIRECT = 'direct';
const directModule = (entry: string): string =>
  `export * from './${entry}';\nexport { default, default as ${DIRECT} } from './${entry}';\n`;
const WRAPPER = 'wrapper.js';

/** Makes of a Worker's options another isolate of it: same KV and R2, and the first one's Durable Objects. */
const SECOND_ISOLATE = {
  name: SECOND,
  durableObjects: { TENANTS: { className: 'Tenant', scriptName: 'headwater', useSQLite: true } },
  unsafeDirectSockets: [{ host: LOOPBACK, port: 0, entrypoint: DIRECT }],
};

interface Module {
  readonly type: (typeof MODULE_TYPES)[number][1];
  readonly path: string;
  readonly contents: string | Uint8Array<ArrayBuffer>;
}

/** The bundle's files behind an entry of our own. */
function bundledModules(folder: string, wrapper: Wrapper | undefined): Module[] {
  const bundled = readdirSync(folder).flatMap((name): Module[] => {
    const type = MODULE_TYPES.find(([suffix]) => name.endsWith(suffix))?.[1];
    const path = join(folder, name);
    return type === undefined ? [] : [{ type, path, contents: new Uint8Array(readFileSync(path)) }];
  });
  const ours = (name: string, contents: string): Module => ({
    type: 'ESModule',
    path: join(folder, name),
    contents,
  });
  return wrapper === undefined
    ? [ours('direct.js', directModule('index.js')), ...bundled]
    : [ours('direct.js', directModule(WRAPPER)), ours(WRAPPER, wrapper.source), ...bundled];
}

/** workerd's own message for a taken port does not say what to do. */
async function assertPortFree(host: string, port: number): Promise<void> {
  if (port === 0) return;
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, host, resolve));
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Error(
      reason === 'EADDRINUSE'
        ? `Port ${port} on ${host} is taken. Stop what listens there, or choose another with --port N (0 takes any).`
        : `Cannot listen on ${host}:${port} (${reason}). Choose another port with --port N.`,
      { cause: error },
    );
  } finally {
    server.close();
  }
}
