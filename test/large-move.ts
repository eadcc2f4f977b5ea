/**
 * `node test/large-move.ts`: a head with as many examples as the edge teaches, moved from MobileNetV3-Small to
 * EfficientNet-Lite0 by its kept pictures. Prints how long that takes and what workerd's memory is meanwhile; both versions
 * must be, byte for byte, what the examples give. A part of `npm run soak`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { Rebase } from '../src/api/index.ts';
import { MAX_EXAMPLES_PER_HEAD } from '../worker/limits.ts';
import { Mortal } from './node/local/teaching.ts';
import { OLD, twoDefaults, type Bundles } from './node/local/two-defaults.ts';
import { photos } from './node/photos.ts';
import { LABELS, MovingHead, sha256, type Label } from './soak/moving-head.ts';

const EACH = MAX_EXAMPLES_PER_HEAD / LABELS.length;
/** Pictures in one teach request, below its 24 MB. */
const BATCH = 200;
const LOOK_MS = 100;

type Check = (holds: boolean, what: string) => void;

/** @param check hears what should hold. */
export async function largeMove(check: Check): Promise<void> {
  const bundles = await twoDefaults();
  const state = mkdtempSync(join(tmpdir(), 'headwater-move-'));
  try {
    const { head, key, taughtMs } = await taught(bundles, state, check);
    console.log(`${head.record.size} pictures taught in ${seconds(taughtMs)} s.`);
    await moved(bundles, state, head, key, check);
  } finally {
    await bundles.remove();
    rmSync(state, { recursive: true, force: true });
  }
}

async function taught(
  { older }: Bundles,
  state: string,
  check: Check,
): Promise<{ head: MovingHead; key: string; taughtMs: number }> {
  const worker = new Mortal(state, undefined, older);
  await worker.start();
  const key = await worker.newTenant();
  const headers = { 'content-type': 'application/json' };
  const keep = JSON.stringify({ keep_images: true });
  await (await worker.call(key, '/v1/settings', { method: 'PUT', headers, body: keep })).text();
  const head = new MovingHead('large', key, check);
  let taughtMs = 0;
  for (let from = 0; from < EACH; from += BATCH / LABELS.length) {
    const form = await batch(head, from, BATCH / LABELS.length);
    const startedAt = performance.now();
    const last = from + BATCH / LABELS.length >= EACH;
    const path = `/v1/heads/large/teach?train=${last}`;
    const answer = await worker.call(key, path, { method: 'POST', body: form });
    check(answer.ok, `teach: ${answer.status} ${await answer.text()}`);
    taughtMs += performance.now() - startedAt;
  }
  await head.verify(worker, OLD);
  await worker.stop();
  return { head, key, taughtMs };
}

async function moved(
  { later }: Bundles,
  state: string,
  head: MovingHead,
  key: string,
  check: Check,
): Promise<void> {
  const worker = new Mortal(state, undefined, later);
  await worker.start();
  await head.verify(worker);
  const [pages, memory] = [[] as number[], [worker.residentMib()]];
  const looking = setInterval(() => void memory.push(worker.residentMib()), LOOK_MS);
  for (let progress = await head.progress(worker); progress.state !== 'done';) {
    const startedAt = performance.now();
    const answer = await worker.call(key, '/v1/heads/large/rebase', { method: 'POST' });
    const text = await answer.text();
    check(answer.ok, `rebase: ${answer.status} ${text}`);
    if (!answer.ok) break;
    progress = Rebase.parse(JSON.parse(text));
    pages.push(performance.now() - startedAt);
  }
  clearInterval(looking);
  await head.verify(worker);
  await head.verifyMoved(worker, []);
  const last = pages.pop() ?? 0;
  const all = pages.reduce((sum, page) => sum + page, 0);
  console.log(
    `${pages.length} pages in ${seconds(all)} s, ${(all / pages.length).toFixed(0)} ms each, at most ${Math.max(...pages).toFixed(0)}; ` +
      `training and switch in ${seconds(last)} s. workerd held ${Math.round(memory[0])} MiB before, ${Math.round(Math.max(...memory))} at most.`,
  );
  await worker.stop();
}

async function batch(head: MovingHead, from: number, count: number): Promise<FormData> {
  const form = new FormData();
  for (const label of LABELS)
    for (let i = from; i < from + count; i++) {
      const bytes = await variant(label, i);
      head.record.set(sha256(bytes), { label, bytes });
      form.append(label, new Blob([bytes]), `${i}.jpg`);
    }
  return form;
}

/** A photo, cut and lit in a way of its own. */
async function variant(label: Label, i: number): Promise<Uint8Array<ArrayBuffer>> {
  const files = photos('train', label);
  const turn = Math.floor(i / files.length);
  const box = { left: (turn * 7) % 60, top: (turn * 11) % 40, width: 440, height: 330 };
  const lit = { brightness: 0.8 + (turn % 9) * 0.05, saturation: 0.8 + (turn % 5) * 0.1 };
  const data = await sharp(files[i % files.length])
    .resize(500, 375, { fit: 'fill' })
    .extract(box)
    .modulate(lit)
    .jpeg()
    .toBuffer();
  return new Uint8Array(data);
}

const seconds = (ms: number): string => (ms / 1000).toFixed(1);

if (import.meta.main) {
  const faults: string[] = [];
  await largeMove((holds, what) => void (holds || faults.push(what)));
  for (const fault of faults) console.error(`FAULT: ${fault}`);
  process.exit(faults.length === 0 ? 0 : 1);
}
