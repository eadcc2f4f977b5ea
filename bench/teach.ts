/**
 * Teaching, measured from outside against local workerd: a lesson of ten photos, training alone at 200 and at 2,000
 * examples, the memory it takes, and what classify requests of another tenant wait meanwhile.
 * `node bench/teach.ts [--json]`
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { startLocalWorker } from '../scripts/local-worker.ts';

const SECRET = 'a secret for this measurement';
const DATA = join(import.meta.dirname, '../../shared/data/trashnet/train');

const worker = await startLocalWorker({ port: 0, adminSecret: SECRET });

async function call(key: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set('authorization', `Bearer ${key}`);
  const response = await fetch(new URL(path, worker.url), { ...init, headers });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
}

async function newTenant(): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const response = await call(SECRET, '/v1/tenants', {
    method: 'POST',
    headers,
    body: JSON.stringify({ name: 'bench' }),
  });
  return z.object({ key: z.string() }).parse(await response.json()).key;
}

const Health = z.object({
  backbone: z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() }),
});
const { backbone } = Health.parse(await (await fetch(new URL('/healthz', worker.url))).json());
const Embedded = z.object({ code_length: z.int() });

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

async function timed<T>(task: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const startedAt = performance.now();
  const value = await task();
  return { ms: performance.now() - startedAt, value };
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

async function lessons(): Promise<number[]> {
  const key = await newTenant();
  const times: number[] = [];
  for (const label of ['glass', 'paper', 'metal']) {
    const body = form(label, photos(label).slice(0, 10));
    times.push(
      (await timed(async () => (await call(key, '/v1/heads/trash/teach', { method: 'POST', body })).text()))
        .ms,
    );
  }
  return times;
}

async function classifyMs(key: string, photo: Uint8Array<ArrayBuffer>): Promise<number> {
  const headers = { 'content-type': 'image/jpeg' };
  return (
    await timed(async () =>
      (await call(key, '/v1/heads/trash/classify', { method: 'POST', headers, body: photo })).text(),
    )
  ).ms;
}

async function store(key: string, count: number, classes: number, codeLength: number): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const all = madeUpCodes(count, classes, codeLength);
  for (let i = 0; i < all.length; i += 200) {
    const body = JSON.stringify({ backbone, examples: all.slice(i, i + 200) });
    await (await call(key, '/v1/heads/large/teach?train=false', { method: 'POST', headers, body })).text();
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/** Resident memory of the workerd that this process started, in MB. */
function residentMb(): number {
  const lines = execFileSync('ps', ['-eo', 'ppid,rss,comm'], { encoding: 'utf8' }).split('\n');
  const own = lines.filter((line) => line.trim().startsWith(`${process.pid} `) && line.includes('workerd'));
  return Math.max(0, ...own.map((line) => Number(line.trim().split(/\s+/)[1]) / 1024));
}

async function train(
  count: number,
  classes: number,
  codeLength: number,
  neighbour: string,
  photo: Uint8Array<ArrayBuffer>,
) {
  const key = await newTenant();
  await store(key, count, classes, codeLength);
  const before = residentMb();
  const solo: number[] = [];
  for (let i = 0; i < 30; i++) solo.push(await classifyMs(neighbour, photo));
  let peak = before;
  const sampling = setInterval(() => (peak = Math.max(peak, residentMb())), 100);
  const meanwhile: number[] = [];
  const done = new AbortController();
  const beside = (async () => {
    while (!done.signal.aborted) meanwhile.push(await classifyMs(neighbour, photo));
  })();
  const loaded = await timed(async () =>
    (await call(key, '/v1/heads/large/train', { method: 'POST' })).text(),
  );
  done.abort();
  await beside;
  clearInterval(sampling);
  // Once more with the machine to itself.
  const alone = await newTenant();
  await store(alone, count, classes, codeLength);
  const { ms } = await timed(async () =>
    (await call(alone, '/v1/heads/large/train', { method: 'POST' })).text(),
  );
  return {
    examples: count,
    classes,
    train_ms: ms,
    train_beside_classify_ms: loaded.ms,
    classify_solo_median_ms: median(solo),
    classify_meanwhile_median_ms: median(meanwhile),
    classify_meanwhile_worst_ms: Math.max(...meanwhile),
    resident_before_mb: before,
    resident_peak_mb: peak,
  };
}

try {
  const times = await lessons();
  const neighbour = await newTenant();
  await call(neighbour, '/v1/heads/trash/teach', {
    method: 'POST',
    body: form('glass', photos('glass').slice(0, 8)),
  });
  await call(neighbour, '/v1/heads/trash/teach', {
    method: 'POST',
    body: form('paper', photos('paper').slice(0, 8)),
  });
  const photo = new Uint8Array(readFileSync(photos('glass')[20]));
  const headers = { 'content-type': 'image/jpeg' };
  const embedded = await call(neighbour, '/v1/embed', { method: 'POST', headers, body: photo });
  const { code_length: codeLength } = Embedded.parse(await embedded.json());
  const trainings = [
    await train(200, 2, codeLength, neighbour, photo),
    await train(2_000, 20, codeLength, neighbour, photo),
  ];
  console.log(JSON.stringify({ lesson_of_10_photos_ms: times, trainings }, null, 2));
} finally {
  await worker.close();
}
