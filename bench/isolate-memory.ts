/**
 * The most that an isolate of the Worker holds while tenants send the largest requests that we know, all at once: V8's objects,
 * ArrayBuffers and WebAssembly memories, after full collections. `node bench/isolate-memory.ts [SECONDS [WORD]]` runs the senders
 * whose name holds the word.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import sharp from 'sharp';
import { z } from 'zod';
import { root } from '../scripts/build/stale.ts';
import { startLocalWorker } from '../scripts/local-worker.ts';
import { newTenant } from '../scripts/demo/tenant.ts';
import { noise, soft } from './hostile/webp.ts';
import { IsolateHeap } from './isolate-heap.ts';

const SECRET = 'a secret for this measurement';
const MB = 1e6;
const PROBE = 'x-wasm-memory';
const HEADS_IN_CACHE = 12;
/** Longer than the rest of a refused body is read. */
const QUIET_MS = 12_000;
/** MAX_EXAMPLES_PER_HEAD */
const EXAMPLES = 2_000;
const Embedded = z.object({ code_length: z.int(), space: z.unknown() });
const [, , seconds = '60', word = ''] = process.argv;

/** The Worker's bundle behind an entry that tells of its WebAssembly memories. */
function probedBundle(): string {
  const [from, to] = [join(root, 'build/worker'), join(root, 'build/bench/isolate-memory')];
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from))
    copyFileSync(join(from, name), join(to, name === 'index.js' ? 'worker.js' : name));
  const memories = readFileSync(join(import.meta.dirname, 'worker/memories.ts'), 'utf8');
  writeFileSync(join(to, 'memories.js'), stripTypeScriptTypes(memories));
  writeFileSync(
    join(to, 'index.js'),
    `import { wasmMemoryBytes } from './memories.js';
     import worker from './worker.js';
     export * from './worker.js';
     export default { fetch: (request, ...rest) => request.headers.has('${PROBE}')
       ? new Response(String(wasmMemoryBytes())) : worker.fetch(request, ...rest) };`,
  );
  return to;
}

const worker = await startLocalWorker({
  port: 0,
  adminSecret: SECRET,
  inspected: true,
  bundle: probedBundle(),
});

interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly body?: BodyInit;
  readonly type?: string;
}

async function send(key: string, { path, method = 'POST', body, type }: Sent): Promise<Response> {
  const headers = new Headers({ authorization: `Bearer ${key}`, 'training-key': key });
  if (type !== undefined) headers.set('content-type', type);
  return fetch(new URL(path, worker.url), { method, headers, ...(body === undefined ? {} : { body }) });
}

async function ask(key: string, sent: Sent): Promise<unknown> {
  const response = await send(key, sent);
  const text = await response.text();
  if (!response.ok) throw new Error(`${sent.path}: ${response.status} ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

const json = (value: unknown) => ({ body: JSON.stringify(value), type: 'application/json' });

async function pictures() {
  return {
    progressive: await soft(4000, 3000).jpeg({ progressive: true, quality: 97 }).toBuffer(),
    webp: await soft(3200, 2240).webp({ quality: 75, effort: 2 }).toBuffer(),
    png: await sharp(noise(2440 * 2440 * 3), { raw: { width: 2440, height: 2440, channels: 3 } })
      .png({ compressionLevel: 0 })
      .toBuffer(),
  };
}

const copied = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

function form(pictures: readonly Uint8Array[], field = 'image'): FormData {
  const data = new FormData();
  for (const [i, bytes] of pictures.entries()) data.append(field, new Blob([copied(bytes)]), `${i}`);
  return data;
}

/**
 * Nearly as many examples and classes as one head is taught with.
 * @returns requests that teach one more example each, and so train the head once more.
 */
async function storeExamples(key: string): Promise<Sent[]> {
  const health = await ask(key, { path: '/healthz', method: 'GET' });
  const { backbone } = z.object({ backbone: z.unknown() }).parse(health);
  const photo = copied(readFileSync(join(root, 'test/fixtures/images/exif-1.jpg')));
  const embedded = await ask(key, { path: '/v1/embed', body: photo, type: 'image/jpeg' });
  const { code_length: length, space } = Embedded.parse(embedded);
  const values = noise(length + EXAMPLES);
  const lesson = (first: number, count: number) => {
    const examples = Array.from({ length: count }, (_, i) => {
      const code = Float16Array.from({ length }, (_, d) => values[d + first + i] / 64 + (i % 7));
      return { label: `class ${(first + i) % 200}`, code: Buffer.from(code.buffer).toString('base64') };
    });
    return json({ backbone, space, examples });
  };
  for (let first = 0; first < EXAMPLES - 100; first += 100)
    await ask(key, { path: '/v1/heads/large/teach?train=false', ...lesson(first, 100) });
  return Array.from({ length: 100 }, (_, i) => ({
    path: '/v1/heads/large/teach',
    ...lesson(EXAMPLES - 100 + i, 1),
  }));
}

/** Heads of 200 classes, more than are kept. @returns how each is asked. */
async function fillHeadCache(key: string): Promise<Sent[]> {
  await ask(key, { path: '/v1/heads/large/train' });
  const file = await (await send(key, { path: '/v1/heads/large/versions/1', method: 'GET' })).arrayBuffer();
  const photo = copied(readFileSync(join(root, 'test/fixtures/images/exif-1.jpg')));
  const asked: Sent[] = [];
  for (let i = 0; i < HEADS_IN_CACHE; i++) {
    await ask(key, {
      path: `/v1/heads/copy${i}`,
      method: 'PUT',
      body: file,
      type: 'application/octet-stream',
    });
    asked.push({ path: `/v1/heads/copy${i}/classify`, body: photo, type: 'image/jpeg' });
  }
  for (const sent of asked) await ask(key, sent);
  return asked;
}

async function customVision(key: string, png: Uint8Array): Promise<Sent> {
  const base = '/customvision/v3.3/Training/projects';
  const Made = z.object({ id: z.string() });
  const project = Made.parse(await ask(key, { path: `${base}?name=memory` }));
  const tag = Made.parse(await ask(key, { path: `${base}/${project.id}/tags?name=a` }));
  return { path: `${base}/${project.id}/images?tagIds=${tag.id}`, body: form([png]) };
}

interface Sender {
  readonly name: string;
  readonly clients: number;
  readonly key: string;
  readonly sent: readonly Sent[];
}

async function senders(): Promise<readonly Sender[]> {
  const [teacher, ...tenants] = await Promise.all(
    Array.from({ length: 9 }, () => newTenant(worker.url, SECRET, 'memory')),
  );
  const trainings = await storeExamples(teacher);
  const heads = await fillHeadCache(teacher);
  const { progressive, webp, png } = await pictures();
  const whole = { path: '/v1/embed', type: 'application/octet-stream' };
  console.error(`progressive ${progressive.length}, WebP ${webp.length}, PNG ${png.length} bytes`);
  const full = form(Array<Uint8Array>(Math.floor(24e6 / progressive.length)).fill(progressive));
  const base64 = noise(5_900_000).toString('base64');
  return [
    { name: 'training', clients: 1, key: teacher, sent: trainings },
    { name: 'heads', clients: 1, key: teacher, sent: heads },
    ...tenants
      .slice(0, 4)
      .map((key) => ({ name: 'forms', clients: 2, key, sent: [{ path: '/v1/embed', body: full }] })),
    { name: 'progressive', clients: 2, key: tenants[4], sent: [{ ...whole, body: copied(progressive) }] },
    { name: 'webp', clients: 2, key: tenants[5], sent: [{ ...whole, body: copied(webp) }] },
    { name: 'json', clients: 2, key: tenants[5], sent: [{ path: '/v1/embed', ...json({ image: base64 }) }] },
    { name: 'custom vision', clients: 6, key: tenants[6], sent: [await customVision(tenants[6], png)] },
    { name: 'custom vision', clients: 6, key: tenants[7], sent: [await customVision(tenants[7], png)] },
  ];
}

async function run({ name, clients, key, sent }: Sender, until: number, answers: Map<string, number>) {
  const one = async (): Promise<void> => {
    for (let i = 0; Date.now() < until; i++) {
      const response = await send(key, sent[i % sent.length]).catch(() => undefined);
      const text = (await response?.text().catch(() => '')) ?? '';
      const code = response?.ok === true ? '' : (/"code":"(\w+)"/.exec(text)?.[1] ?? '');
      const answer = `${name}: ${response?.status ?? 'broken'} ${code}`;
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: clients }, one));
}

interface Held {
  readonly heap: number;
  readonly wasm: number;
}

async function held(heap: IsolateHeap): Promise<Held> {
  heap.collect();
  const used = await heap.used();
  const probe = await fetch(worker.url, { headers: { [PROBE]: '1' } });
  return { heap: used, wasm: Number(await probe.text()) / MB };
}

const sum = ({ heap, wasm }: Held): number => heap + wasm;
const shown = (each: Held): string =>
  `${sum(each).toFixed(1)} MB: ${each.heap.toFixed(1)} of objects and ArrayBuffers, ${each.wasm.toFixed(1)} of WebAssembly`;

if (worker.inspector === undefined) throw new Error('The isolate is not inspected.');
const heap = await IsolateHeap.open(worker.inspector);
try {
  console.log(`new: ${shown(await held(heap))}`);
  const all = (await senders()).filter(({ name }) => name.includes(word));
  console.log(`before: ${shown(await held(heap))}`);
  const answers = new Map<string, number>();
  const until = Date.now() + 1_000 * Number(seconds);
  const state = { isDone: false };
  const sending = Promise.all(all.map((each) => run(each, until, answers))).finally(
    () => void (state.isDone = true),
  );
  const looks: Held[] = [];
  while (!state.isDone) looks.push(await held(heap));
  await sending;
  const [most] = looks.toSorted((a, b) => sum(b) - sum(a));
  console.log(`most of ${looks.length} looks: ${shown(most)}`);
  console.log(`most heap: ${shown(looks.toSorted((a, b) => b.heap - a.heap)[0])}`);
  console.log(`most WebAssembly: ${shown(looks.toSorted((a, b) => b.wasm - a.wasm)[0])}`);
  console.log(`at the end: ${shown(await held(heap))}`);
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  console.log(`and ${QUIET_MS / 1000} s later: ${shown(await held(heap))}`);
  for (const [answer, times] of [...answers].toSorted(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${answer} × ${times}`);
} finally {
  heap.close();
  await worker.close();
}
