/** A Worker on local workerd that can be ended at any moment and started again on the same stores, and batches for it. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { DEFAULT_INPUT } from '../../../src/backbone/defaults.ts';
import { spaceOfPlan } from '../../../src/head/index.ts';
import { liteBackbone } from '../backbone/files.ts';
import { startLocalWorker, type LocalWorker } from '../../../scripts/local-worker.ts';

const ADMIN_SECRET = 'a secret for this test';

const Backbone = z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() });
export const TaughtAnswer = z.looseObject({
  version: z.int().optional(),
  added: z.int(),
  duplicates: z.int(),
  examples: z.int(),
  classes: z.array(z.looseObject({ label: z.string(), examples: z.int() })),
});

/** Process ids of the workerds that this process has started. */
function workerds(): number[] {
  return execFileSync('ps', ['-eo', 'pid,ppid,comm'], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, command]) => parent === String(process.pid) && command?.includes('workerd'))
    .map(([pid]) => Number(pid));
}

export class Mortal {
  readonly #state: string | undefined;
  readonly #onStep: (name: string) => void | Promise<void>;
  readonly #bundle: string | undefined;
  #worker: LocalWorker | undefined;
  #pids: number[] = [];

  /**
   * @param state folder of the stores; undefined keeps them in memory.
   * @param bundle folder of the Worker's bundle; undefined: the project's own.
   */
  constructor(state?: string, onStep: (name: string) => void | Promise<void> = () => {}, bundle?: string) {
    this.#state = state;
    this.#onStep = onStep;
    this.#bundle = bundle;
  }

  async start(): Promise<void> {
    const before = new Set(workerds());
    this.#worker = await startLocalWorker({
      port: 0,
      adminSecret: ADMIN_SECRET,
      ...(this.#state === undefined ? {} : { state: this.#state }),
      ...(this.#bundle === undefined ? {} : { bundle: this.#bundle }),
      onStep: async (name) => {
        await this.#onStep(name);
      },
    });
    this.#pids = workerds().filter((pid) => !before.has(pid));
  }

  get url(): URL {
    if (this.#worker === undefined) throw new Error('The Worker is not running.');
    return this.#worker.url;
  }

  /** Names of all that R2 and KV hold, and KV's values. */
  stored(): ReturnType<LocalWorker['stored']> {
    if (this.#worker === undefined) throw new Error('The Worker is not running.');
    return this.#worker.stored();
  }

  /** Memory that workerd holds, in MiB (Linux). */
  residentMib(): number {
    const status = readFileSync(`/proc/${this.#pids[0]}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  /** Ends workerd at once, without a chance to finish anything. */
  kill(): void {
    for (const pid of this.#pids) process.kill(pid, 'SIGKILL');
    this.#pids = [];
  }

  async stop(): Promise<void> {
    await this.#worker?.close().catch(() => undefined);
    this.#worker = undefined;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  call(key: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${key}`);
    return fetch(new URL(path, this.url), { ...init, headers, signal: AbortSignal.timeout(120_000) });
  }

  createTenant(): Promise<Response> {
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify({ name: 'a tenant' });
    return this.call(ADMIN_SECRET, '/v1/tenants', { method: 'POST', headers, body });
  }

  deleteTenant(id: string): Promise<Response> {
    return this.call(ADMIN_SECRET, `/v1/tenants/${id}`, { method: 'DELETE' });
  }

  async newTenant(): Promise<string> {
    return z.object({ key: z.string() }).parse(await (await this.createTenant()).json()).key;
  }

  async backbone(): Promise<z.infer<typeof Backbone>> {
    return z.object({ backbone: Backbone }).parse(await (await this.call('', '/healthz')).json()).backbone;
  }

  async teach(key: string, head: string, body: string, idempotencyKey: string): Promise<Response> {
    const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
    return this.call(key, `/v1/heads/${head}/teach`, { method: 'POST', headers, body });
  }

  /** How many examples of each label a head has. */
  async counts(key: string, head: string): Promise<Record<string, number>> {
    const Page = z.object({
      examples: z.array(z.object({ label: z.string() })),
      next: z.string().optional(),
    });
    const counts: Record<string, number> = {};
    let after = '';
    for (;;) {
      const answer = await this.call(key, `/v1/heads/${head}/examples?limit=500${after}`);
      if (answer.status === 404) return counts;
      const { examples, next } = Page.parse(await answer.json());
      for (const { label } of examples) counts[label] = (counts[label] ?? 0) + 1;
      if (next === undefined) return counts;
      after = `&after=${next}`;
    }
  }
}

const { weightsSha256: _hash, codeLength, ...SPACE } = spaceOfPlan(liteBackbone().plan, DEFAULT_INPUT);

/** JSON of a batch of made-up codes of the default space; other seeds give other codes. */
export function batchOf(backbone: object, label: string, count: number, seed: number): string {
  let state = (seed * 7919 + label.length * 31 + label.charCodeAt(0)) % 0x7fffffff;
  const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  const examples = Array.from({ length: count }, () => {
    const code = Float16Array.from({ length: codeLength }, () => random() + (label.charCodeAt(0) % 7) / 7);
    return { label, code: Buffer.from(code.buffer).toString('base64') };
  });
  return JSON.stringify({ backbone, space: SPACE, examples });
}
