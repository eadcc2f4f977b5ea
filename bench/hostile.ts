/**
 * `npm run hostile [-- WORD]` sends the most expensive requests that we know, or those whose name holds the word, one after the
 * other, to the Worker that would be deployed.
 * It prints the CPU time of each, without its neighbour's share, and the longest wait of another tenant meanwhile.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../scripts/build/stale.ts';
import { hostileRequests, HEAD, type HostileRequest } from './hostile/requests.ts';
import { goalTable } from './goals.ts';
import { type Goal } from './section.ts';
import { describeMachine } from './machine.ts';
import { startRealWorker, type RealWorker } from './real-worker.ts';
import { machineText, resultText } from './report.ts';

const MOST_BODY_CPU_MS = 2_000;
const MOST_HEADER_CPU_MS = 5;
const MOST_WAIT_MS = 500;
/** The work before a body is read is too short to be timed once. */
const HEADER_REPEATS = 20;
const WARM_UP = 200;

interface Measured {
  readonly request: HostileRequest;
  readonly status: number | string;
  readonly cpuMs: number;
  readonly waitMs: number;
}

const fixture = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(root, 'test/fixtures/images', name)));

async function enrol(worker: RealWorker): Promise<string> {
  const key = await worker.newTenant();
  const form = new FormData();
  const examples = { 'exif-1.jpg': 'a', 'grey.jpg': 'a', 'rgb.png': 'b', 'lossy.webp': 'b' };
  for (const [name, label] of Object.entries(examples)) form.append(label, new Blob([fixture(name)]), name);
  await worker.call('POST', `/v1/heads/${HEAD}/teach`, key, form);
  return key;
}

async function send(url: URL, key: string | undefined, request: HostileRequest): Promise<number | string> {
  const { path, method = 'POST', headers = {}, body } = request;
  const auth: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  try {
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...auth, ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : new Uint8Array(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  } catch (error) {
    return error instanceof Error ? error.message : 'failed';
  }
}

async function measure(worker: RealWorker, keys: Keys, request: HostileRequest): Promise<Measured> {
  const repeats = request.isBody ? 1 : HEADER_REPEATS;
  const aloneMs = request.isBody ? undefined : await cpuAlone(worker, keys, request);
  let waitMs = 0;
  let asked = 0;
  const progress = { done: false };
  const before = worker.cpuMs() ?? NaN;
  const sending = (async () => {
    let status: number | string = 0;
    for (let i = 0; i < repeats; i++) status = await send(worker.url, keys.hostile, request);
    progress.done = true;
    return status;
  })();
  while (!progress.done) {
    const start = performance.now();
    await worker.classify(keys.neighbour, keys.picture);
    waitMs = Math.max(waitMs, performance.now() - start);
    asked++;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const status = await sending;
  const used = (worker.cpuMs() ?? NaN) - before - asked * keys.neighbourCpuMs;
  return { request, status, cpuMs: aloneMs ?? Math.max(0, used), waitMs };
}

/** CPU time of a request without its body. It is shorter than what a neighbour's share varies by, so there is no neighbour. */
async function cpuAlone(worker: RealWorker, keys: Keys, request: HostileRequest): Promise<number> {
  const before = worker.cpuMs() ?? NaN;
  for (let i = 0; i < HEADER_REPEATS; i++) await send(worker.url, keys.hostile, request);
  return ((worker.cpuMs() ?? NaN) - before) / HEADER_REPEATS;
}

interface Keys {
  readonly hostile: string | undefined;
  readonly neighbour: string;
  readonly picture: Uint8Array;
  readonly neighbourCpuMs: number;
}

// Made first: it takes seconds without a turn of the event loop, in which the Worker would close an idle connection unnoticed.
const [, , word = ''] = process.argv;
const requests = (await hostileRequests()).filter(({ name }) => name.includes(word));
const worker = await startRealWorker();
try {
  console.log(machineText(describeMachine()));
  const picture = fixture('exif-1.jpg');
  const [hostile, neighbour] = [await enrol(worker), await enrol(worker)];
  for (let i = 0; i < WARM_UP; i++) await worker.classify(neighbour, picture);
  const before = worker.cpuMs() ?? NaN;
  for (let i = 0; i < WARM_UP; i++) await worker.classify(neighbour, picture);
  const neighbourCpuMs = ((worker.cpuMs() ?? NaN) - before) / WARM_UP;
  const rows: Measured[] = [];
  const goals: Goal[] = [];
  const wrong: string[] = [];
  for (const request of requests) {
    for (const key of request.isBody ? [hostile] : [hostile, undefined]) {
      const named = { ...request, name: `${request.name}${key === undefined ? ', no key' : ''}` };
      const measured = await measure(worker, { hostile: key, neighbour, picture, neighbourCpuMs }, named);
      rows.push(measured);
      const atMost = request.isBody ? MOST_BODY_CPU_MS : MOST_HEADER_CPU_MS;
      const { status, cpuMs, waitMs } = measured;
      goals.push({ what: `CPU, ${named.name}`, atMost, measured: cpuMs, unit: 'ms' });
      goals.push({ what: `neighbour, ${named.name}`, atMost: MOST_WAIT_MS, measured: waitMs, unit: 'ms' });
      if (status !== (request.status ?? status))
        wrong.push(
          `${named.name} was answered ${status}, not ${request.status}: it costs less than it should.`,
        );
      console.error(
        `${named.name}: ${status}, ${cpuMs.toFixed(1)} ms CPU, neighbour ${waitMs.toFixed(0)} ms`,
      );
    }
  }
  const missed = goals.filter(({ atMost, measured }) => !(measured <= atMost));
  const table = {
    columns: ['', 'answer', 'body, bytes', 'CPU ms', 'neighbour ms'],
    rows: rows.map(({ request, status, cpuMs, waitMs }) => [
      request.name,
      String(status),
      String(request.body?.length ?? 0),
      cpuMs.toFixed(1),
      waitMs.toFixed(0),
    ]),
  };
  const notes = missed.length === 0 && wrong.length === 0 ? ['All goals are met.'] : wrong;
  console.log(
    resultText('Hostile requests', {
      tables: [table, ...(missed.length === 0 ? [] : [goalTable(missed)])],
      notes,
      data: {},
    }),
  );
} finally {
  await worker.close();
}
