/** The Worker that would be deployed, on local workerd, with a tenant and a head. */
import { z } from 'zod';
import { startLocalWorker } from '../scripts/local-worker.ts';
import type { EngineName } from '../src/backbone/choose.ts';
import type { Sample } from './measure.ts';
import { cpuMs, residentBytes, workerdProcesses } from './processes.ts';

const SECRET = 'bench-admin-secret';
const HEAD = 'bench';
const REQUEST_TIMEOUT_MS = 120_000;

export interface RealWorkerOptions {
  /** Default: the Worker's own. */
  readonly engine?: EngineName;
  /** Folder of the stores. Default: memory. */
  readonly state?: string;
}

export interface RealWorker {
  /** Makes a tenant with a head. @returns its key, which holds as long as the stores. */
  enrol(head: Uint8Array): Promise<string>;
  /** One classify request from send to answer. @throws Error when the answer is not 200. */
  classify(key: string, picture: Uint8Array): Promise<void>;
  /** A request that computes nothing. */
  health(): Promise<void>;
  residentBytes(): number | undefined;
  cpuMs(): number | undefined;
  /** Clock and CPU of the workerd process while `work` runs. */
  measure(work: () => Promise<unknown>): Promise<Sample>;
  close(): Promise<void>;
}

export async function startRealWorker(options: RealWorkerOptions = {}): Promise<RealWorker> {
  const before = new Set(workerdProcesses());
  const worker = await startLocalWorker({ port: 0, adminSecret: SECRET, ...options });
  const id = workerdProcesses().find((process) => !before.has(process));
  const call = caller(worker.url);
  const cpu = (): number | undefined => (id === undefined ? undefined : cpuMs(id));
  return {
    async enrol(head) {
      const tenant = await call('POST', '/v1/tenants', SECRET, JSON.stringify({ name: 'bench' }));
      const { key } = z.object({ key: z.string() }).parse(tenant);
      await call('PUT', `/v1/heads/${HEAD}`, key, head);
      return key;
    },
    classify: async (key, picture) => void (await call('POST', `/v1/heads/${HEAD}/classify`, key, picture)),
    health: async () => void (await call('GET', '/healthz')),
    residentBytes: () => (id === undefined ? undefined : residentBytes(id)),
    cpuMs: cpu,
    async measure(work) {
      const cpuBefore = cpu();
      const start = performance.now();
      await work();
      const wall = performance.now() - start;
      const cpuAfter = cpu();
      const used = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore;
      return { wall, cpu: used };
    },
    close: () => worker.close(),
  };
}

type Call = (method: string, path: string, bearer?: string, body?: Uint8Array | string) => Promise<unknown>;

function caller(url: URL): Call {
  return async (method, path, bearer, body) => {
    const response = await fetch(new URL(path, url), {
      method,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        'content-type': typeof body === 'string' ? 'application/json' : 'application/octet-stream',
      },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    const answer: unknown = JSON.parse(text);
    return answer;
  };
}
