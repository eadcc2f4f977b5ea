/** The Worker that would be deployed, on local workerd, with a tenant and a head. */
import { newTenant } from '../scripts/demo/tenant.ts';
import { startLocalWorker } from '../scripts/local-worker.ts';
import type { EngineName } from '../src/backbone/choose.ts';
import { type Sample, sampleOf } from './measure.ts';
import { cpuMs, residentBytes, workerdProcesses } from './processes.ts';

const SECRET = 'bench-admin-secret';
const HEAD = 'bench';
const REQUEST_TIMEOUT_MS = 120_000;
const UNKNOWN_FORMAT = { status: 415, code: 'image_format_unknown' };

export interface RealWorkerOptions {
  /** Default: the Worker's own. */
  readonly engine?: EngineName;
  /** Folder of the stores. Default: memory. */
  readonly state?: string;
  /** Another isolate on the same stores. */
  readonly isolates?: 2;
}

export interface RealWorker {
  readonly url: URL;
  /** One request. @returns its answer, parsed. @throws Error when the status is not 2xx. */
  readonly call: Call;
  /** @returns the new tenant's key, which holds as long as the stores. */
  newTenant(): Promise<string>;
  /** Makes a tenant with a head. @returns its key. */
  enrol(head: Uint8Array): Promise<string>;
  /** Asks the head that `enrol` uploaded. @param isolate 2 is the other one, where there are two. */
  classify(key: string, picture: Uint8Array, isolate?: 1 | 2): Promise<void>;
  /** The same request with as many bytes that are no picture: all but decoding, backbone and head. */
  upload(key: string, size: number): Promise<void>;
  /** A request that computes nothing. */
  health(isolate?: 1 | 2): Promise<void>;
  residentBytes(): number | undefined;
  cpuMs(): number | undefined;
  /** Clock and CPU of the workerd process while `work` runs. */
  measure(work: () => Promise<unknown>): Promise<Sample>;
  close(): Promise<void>;
}

type Call = (method: string, path: string, bearer?: string, body?: Body) => Promise<unknown>;
/** Text is JSON, bytes are a picture or a file. */
type Body = Uint8Array | string | FormData;

export async function startRealWorker(options: RealWorkerOptions = {}): Promise<RealWorker> {
  const before = new Set(workerdProcesses());
  // As V8 is on Cloudflare: what local workerd is told otherwise costs time in every request.
  process.env['MINIFLARE_WORKERD_V8_FLAGS'] = '';
  const worker = await startLocalWorker({ port: 0, adminSecret: SECRET, ...options });
  const id = workerdProcesses().find((process) => !before.has(process));
  const call = caller(worker.url);
  const calls = { 1: call, 2: caller(worker.second ?? worker.url) };
  const enrolled = (): Promise<string> => newTenant(worker.url, SECRET, 'bench');
  const cpu = (): number | undefined => (id === undefined ? undefined : cpuMs(id));
  return {
    url: worker.url,
    call,
    newTenant: enrolled,
    async enrol(head) {
      const key = await enrolled();
      await call('PUT', `/v1/heads/${HEAD}`, key, head);
      return key;
    },
    classify: async (key, picture, isolate = 1) =>
      void (await calls[isolate]('POST', `/v1/heads/${HEAD}/classify`, key, picture)),
    upload: async (key, size) => {
      const response = await send(
        worker.url,
        'POST',
        `/v1/heads/${HEAD}/classify`,
        key,
        new Uint8Array(size),
      );
      const text = await response.text();
      if (response.status !== UNKNOWN_FORMAT.status || !text.includes(UNKNOWN_FORMAT.code))
        throw new Error(
          `Bytes that are no picture were answered with ${response.status} ${text.slice(0, 500)}`,
        );
    },
    health: async (isolate = 1) => void (await calls[isolate]('GET', '/healthz')),
    residentBytes: () => (id === undefined ? undefined : residentBytes(id)),
    cpuMs: cpu,
    measure: (work) => sampleOf(work, cpu),
    close: () => worker.close(),
  };
}

async function send(url: URL, method: string, path: string, bearer?: string, body?: Body): Promise<Response> {
  const headers = new Headers(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` });
  if (typeof body === 'string') headers.set('content-type', 'application/json');
  if (body instanceof Uint8Array) headers.set('content-type', 'application/octet-stream');
  return await fetch(new URL(path, url), {
    method,
    headers,
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    ...(body === undefined ? {} : { body: body instanceof Uint8Array ? new Uint8Array(body) : body }),
  });
}

function caller(url: URL): Call {
  return async (method, path, bearer, body) => {
    const response = await send(url, method, path, bearer, body);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    const answer: unknown = JSON.parse(text);
    return answer;
  };
}
