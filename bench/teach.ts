/**
 * Teaching, measured from outside against local workerd: a request of ten photos, training alone at 200 and at 2,000
 * examples, and what classify requests of another tenant wait meanwhile, or while the trained head is only stored; or the
 * memory that the isolate takes. It takes two minutes and says on stderr how far it is.
 * `node bench/teach.ts [--quick] [--memory] [--bundle FOLDER]`: --quick trains three times with 200 examples and not with 2,000;
 * --bundle measures another build of the Worker, for comparisons that take turns.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { Agent, request, type IncomingMessage } from 'node:http';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { startLocalWorker } from '../scripts/local-worker.ts';
import { IsolateHeap } from './isolate-heap.ts';

const SECRET = 'a secret for this measurement';
const DATA = join(import.meta.dirname, '../examples/trashnet/train');

const { values: flags } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    /** An inspector slows what it looks at: memory is measured by itself. */
    memory: { type: 'boolean', default: false },
    bundle: { type: 'string', default: join(import.meta.dirname, '../build/worker') },
  },
});

const worker = await startLocalWorker({
  port: 0,
  adminSecret: SECRET,
  inspected: flags.memory,
  bundle: resolve(flags.bundle),
});

/** What takes minutes says how far it is. */
const progress = (what: string): void => console.error(`${(performance.now() / 1000).toFixed(0)} s: ${what}`);

async function call(key: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  const response = await fetch(new URL(path, worker.url), { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function postJson(key: string, path: string, value: object): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return await call(key, path, { method: 'POST', headers, body: JSON.stringify(value) });
}

/** @returns milliseconds from the request to its whole answer. */
async function postMs(key: string, path: string, body?: FormData): Promise<number> {
  const start = performance.now();
  await (await call(key, path, { method: 'POST', body: body ?? null })).arrayBuffer();
  return performance.now() - start;
}

async function newTenant(): Promise<string> {
  const response = await postJson(SECRET, '/v1/tenants', { name: 'bench' });
  return z.object({ key: z.string() }).parse(await response.json()).key;
}

const Health = z.object({
  backbone: z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() }),
});
const { backbone } = Health.parse(await (await fetch(new URL('/healthz', worker.url))).json());
/** How long codes are, and what they are of. */
const Embedded = z.object({ code_length: z.int(), space: z.unknown() });
type Embedded = z.infer<typeof Embedded>;

/** Codes that differ by class as real ones do, roughly: a centre and noise. */
function madeUpCodes(count: number, classes: number, codeLength: number): { label: string; code: string }[] {
  let state = 42;
  const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
  const centres = Array.from({ length: classes }, () => Float32Array.from({ length: codeLength }, random));
  return Array.from({ length: count }, (_, i) => {
    const code = Float16Array.from(centres[i % classes], (middle) => middle + 2 * random());
    return { label: `class ${i % classes}`, code: Buffer.from(code.buffer).toString('base64') };
  });
}

const photos = (label: string): string[] =>
  readdirSync(join(DATA, label))
    .sort()
    .map((name) => join(DATA, label, name));

function form(label: string, paths: readonly string[]): FormData {
  const data = new FormData();
  for (const path of paths) data.append(label, new Blob([readFileSync(path)]), path);
  return data;
}

async function teachTimes(): Promise<number[]> {
  const key = await newTenant();
  const times: number[] = [];
  for (const label of ['glass', 'paper', 'metal']) {
    const body = form(label, photos(label).slice(0, 10));
    times.push(await postMs(key, '/v1/heads/trash/teach', body));
  }
  return times;
}

const oneConnection = new Agent({ keepAlive: true, maxSockets: 1 });

/** Not by fetch: what it leaves behind is collected in pauses of up to 100 ms, which would count as the Worker's. */
async function classifyMs(key: string, photo: Uint8Array<ArrayBuffer>): Promise<number> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg' };
  const url = new URL('/v1/heads/trash/classify', worker.url);
  const start = performance.now();
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const answered = (answer: IncomingMessage): void => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    };
    request(url, { method: 'POST', agent: oneConnection, headers }, answered)
      .once('error', reject)
      .end(photo);
  });
  if (status !== 200) throw new Error(`${url.pathname}: ${status}`);
  return performance.now() - start;
}

async function store(key: string, { count, classes, codes }: Training): Promise<void> {
  const all = madeUpCodes(count, classes, codes.code_length);
  for (let i = 0; i < all.length; i += 200) {
    const body = { backbone, space: codes.space, examples: all.slice(i, i + 200) };
    await (await postJson(key, '/v1/heads/large/teach?train=false', body)).arrayBuffer();
  }
}

function spread(values: readonly number[]) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? NaN;
  return { requests: sorted.length, median_ms: at(0.5), p99_ms: at(0.99), worst_ms: at(1) };
}

/** How long training takes by itself, from request to answer. */
async function trainAlone(training: Training): Promise<number> {
  const key = await newTenant();
  await store(key, training);
  const ms = await postMs(key, '/v1/heads/large/train');
  progress(`${training.count} examples trained alone in ${ms.toFixed(0)} ms`);
  return ms;
}

interface Training {
  readonly count: number;
  readonly classes: number;
  readonly codes: Embedded;
  readonly alone: number;
  readonly besideNeighbours: number;
}

/** Requests without a training, after one: a long training has thousands, which would take minutes once more. */
const MOST_AFTER_ONE = 1_000;

/**
 * What a neighbour's classify requests take, one after the other: while other tenants train; as many without, after each
 * training; and as many in whose midst the trained head is uploaded, which stores it without any training. What the machine
 * itself adds, which changes by the minute, is in all three.
 */
async function neighbours(training: Training, neighbour: string, photo: Uint8Array<ArrayBuffer>) {
  const times = { training: [] as number[], alone: [] as number[], storing: [] as number[] };
  const trainings: number[] = [];
  const classify = async (into: number[], count: number): Promise<void> => {
    for (let i = 0; i < count; i++) into.push(await classifyMs(neighbour, photo));
  };
  for (let i = 0; i < training.besideNeighbours; i++) {
    const key = await newTenant();
    await store(key, training);
    const before = times.training.length;
    const done = new AbortController();
    const end = postMs(key, '/v1/heads/large/train').finally(() => done.abort());
    while (!done.signal.aborted) await classify(times.training, 1);
    trainings.push(await end);
    const count = Math.min(times.training.length - before, MOST_AFTER_ONE);
    await classify(times.alone, count);
    const body = await (await call(key, '/v1/heads/large/versions/1')).arrayBuffer();
    await classify(times.storing, Math.ceil(count / 2));
    const upload = call(key, '/v1/heads/copy', { method: 'PUT', body });
    await classify(times.storing, Math.floor(count / 2));
    await (await upload).text();
    progress(
      `${training.count} examples trained beside a neighbour, ${i + 1} of ${training.besideNeighbours}`,
    );
  }
  const alone = spread(times.alone);
  const beside = (values: readonly number[]) => ({
    ...spread(values),
    slower_than_3_medians_alone: values.filter((ms) => ms > 3 * alone.median_ms).length,
  });
  return {
    classify_alone: beside(times.alone),
    classify_beside_training: beside(times.training),
    classify_beside_storing: beside(times.storing),
    train_beside_ms: trainings,
  };
}

async function train(training: Training, neighbour: string, photo: Uint8Array<ArrayBuffer>) {
  const { count: examples, classes } = training;
  const alone: number[] = [];
  for (let i = 0; i < training.alone; i++) alone.push(await trainAlone(training));
  return { examples, classes, train_alone_ms: alone, ...(await neighbours(training, neighbour, photo)) };
}

/** The most that the isolate holds while it trains, and what it held before: both after a full collection, and as it comes. */
async function memory(training: Training) {
  if (worker.inspector === undefined) throw new Error('The isolate is not inspected.');
  const heap = await IsolateHeap.open(worker.inspector);
  const key = await newTenant();
  await store(key, training);
  heap.collect();
  const before = await heap.used();
  let [peak, live] = [before, before];
  const done = new AbortController();
  const task = postMs(key, '/v1/heads/large/train').finally(() => done.abort());
  for (let i = 0; !done.signal.aborted; i++) {
    peak = Math.max(peak, await heap.used());
    if (i % SAMPLES_A_COLLECTION !== 0) continue;
    heap.collect();
    live = Math.max(live, await heap.used());
  }
  await task;
  heap.close();
  const isolate = { isolate_before_mb: before, isolate_live_mb: live, isolate_peak_mb: peak };
  return { examples: training.count, classes: training.classes, ...isolate };
}

const SAMPLES_A_COLLECTION = 200;

async function everything(): Promise<object> {
  const times = await teachTimes();
  const neighbour = await newTenant();
  for (const label of ['glass', 'paper']) {
    const body = form(label, photos(label).slice(0, 8));
    await call(neighbour, '/v1/heads/trash/teach', { method: 'POST', body });
  }
  const photo = new Uint8Array(readFileSync(photos('glass')[20]));
  const headers = { 'content-type': 'image/jpeg' };
  const embedded = await call(neighbour, '/v1/embed', { method: 'POST', headers, body: photo });
  const codes = Embedded.parse(await embedded.json());
  const largest = { count: 2_000, classes: 20, codes, alone: 2, besideNeighbours: 1 };
  for (let i = 0; i < 100; i++) await classifyMs(neighbour, photo);
  if (flags.memory) return memory({ ...largest, classes: 200 });
  const small = { count: 200, classes: 2, codes, alone: 3, besideNeighbours: flags.quick ? 3 : 12 };
  const trainings = [await train(small, neighbour, photo)];
  if (!flags.quick) trainings.push(await train(largest, neighbour, photo));
  return { teach_10_photos_ms: times, trainings };
}

try {
  console.log(JSON.stringify(await everything(), null, 2));
} finally {
  oneConnection.destroy();
  await worker.close();
}
