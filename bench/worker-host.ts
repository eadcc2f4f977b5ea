/** Runs one of the Workers in bench/worker in a workerd process of its own. */
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { IsolateHeap } from './isolate-heap.ts';
import { type Contender, lessIdle, type Sample, sampleOf } from './measure.ts';
import { cpuMs, residentBytes, workerdProcesses } from './processes.ts';
import { bundleWorker, type Entry } from './worker-bundle.ts';

export interface BenchWorker {
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** Does a piece of work; see worker/serve.ts. */
  work(name: string, times: number, body?: Uint8Array): Promise<Uint8Array>;
  wasmMemoryBytes(): Promise<number>;
  /** Of the whole process; undefined where the system does not tell. */
  residentBytes(): number | undefined;
  cpuMs(): number | undefined;
  /** MB of objects and ArrayBuffers that the isolate holds after full collections. Only where it `collects`, `inspected`. */
  heldMb(): Promise<number>;
  close(): Promise<void>;
}

const MODULE_TYPES: ReadonlyMap<string, Module['type']> = new Map([
  ['.js', 'ESModule'],
  ['.wasm', 'CompiledWasm'],
  ['.safetensors', 'Data'],
]);

/** Far longer than any work here takes: a Worker that died must not leave the benchmark waiting. */
const REQUEST_TIMEOUT_MS = 120_000;

export interface BenchWorkerOptions {
  /**
   * Every collection of garbage is a full one, so that the process holds what the Worker holds: workerd keeps some 20 kB
   * for each request until then. Default: as V8 does it.
   */
  readonly collects?: boolean;
  /** Opens V8's inspector to the isolate. */
  readonly inspected?: boolean;
}

/** What miniflare reads. */
const FLAGS = 'MINIFLARE_WORKERD_V8_FLAGS';
/** After each MB of new objects, so that little of what is measured is garbage. */
const COLLECTING = '--gc-global --min-semi-space-size=1 --max-semi-space-size=1 --expose-gc';

/** @throws Error when the Worker does not start. */
export async function startBenchWorker(entry: Entry, options: BenchWorkerOptions = {}): Promise<BenchWorker> {
  process.env[FLAGS] = options.collects === true ? COLLECTING : '';
  const folder = await bundleWorker(entry);
  const before = new Set(workerdProcesses());
  const name = `bench-${entry.worker}-${entry.network}`;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      name,
      modulesRoot: folder,
      modules: modulesIn(folder),
      compatibilityDate: '2026-08-01',
      log: new Log(LogLevel.ERROR),
      ...(options.inspected === true ? { inspectorPort: 0 } : {}),
    }),
  );
  const url = await miniflare.ready;
  const id = workerdProcesses().find((process) => !before.has(process));
  const call = caller(url);
  return {
    put: async (input, bytes) => void (await call('PUT', input, bytes)),
    work: (work, times, body) => call('POST', `${work}?times=${times}`, body),
    wasmMemoryBytes: async () => Number(new TextDecoder().decode(await call('GET', 'memory'))),
    residentBytes: () => (id === undefined ? undefined : residentBytes(id)),
    cpuMs: () => (id === undefined ? undefined : cpuMs(id)),
    async heldMb() {
      const inspector = new URL(`/core:user:${name}`, await miniflare.getInspectorURL());
      const heap = await IsolateHeap.open(inspector);
      await call('POST', 'collect');
      const held = await heap.used();
      heap.close();
      return held;
    },
    close: () => miniflare.dispose(),
  };
}

function caller(url: URL) {
  return async (method: string, path: string, body?: Uint8Array): Promise<Uint8Array> => {
    const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
    const init = body === undefined ? { method, signal } : { method, signal, body: new Uint8Array(body) };
    const response = await fetch(new URL(path, url), init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.ok) return bytes;
    const text = new TextDecoder().decode(bytes).slice(0, 2000);
    throw new Error(`${method} ${path}: ${response.status} ${text}`);
  };
}

interface Module {
  readonly type: 'ESModule' | 'CompiledWasm' | 'Data';
  readonly path: string;
}

/** The entry first. */
function modulesIn(folder: string): Module[] {
  const names = readdirSync(folder).sort((a, b) => Number(b === 'index.js') - Number(a === 'index.js'));
  return names.flatMap((name) => {
    const type = MODULE_TYPES.get(extname(name));
    return type === undefined ? [] : [{ type, path: join(folder, name) }];
  });
}

/** Work in a Worker, less the time of a request that does nothing: clocks stand still inside. */
export function subtracted(name: string, worker: BenchWorker, work: string, body?: Uint8Array): Contender {
  const once = (times: number): Promise<Sample> =>
    sampleOf(
      () => worker.work(work, times, body),
      () => worker.cpuMs(),
    );
  return {
    name,
    async sample(times) {
      const idle = await once(0);
      return lessIdle(await once(times), idle);
    },
  };
}

export function floats(bytes: Uint8Array): Float32Array {
  return new Float32Array(new Uint8Array(bytes).buffer);
}
