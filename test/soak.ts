/**
 * `npm run soak [-- --kills 50] [-- --seed 1]`: teaching under load on local workerd. First with workerd killed at random
 * moments, then many tenants at once: every example must be accounted for at the end. Then thousands of pictures in a row,
 * during which workerd's memory must stop growing. Exits 1 where something does not hold.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { z } from 'zod';
import { lessonOf, Mortal } from './node/local/teaching.ts';
import { steadyMemory } from './steady-memory.ts';

const PICTURE = new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures/images/grey16.png')));
const LESSON_EXAMPLES = 3;
const LABELS = ['ant', 'bee', 'cow', 'dog', 'emu'];
const LOADERS = 4;
const LONGEST_LIFE_MS = 900;

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
});

let state = Number(values.seed) * 7919 + 1;
const random = (): number => (state = (state * 48_271) % 0x7fffffff) / 0x7fffffff;
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const faults: string[] = [];

function check(holds: boolean, what: string): void {
  if (!holds) faults.push(what);
}

/** Teaches without end; a lesson that got no answer is repeated until it gets one. */
async function load(
  mortal: Mortal,
  key: string,
  backbone: object,
  loader: number,
  stop: AbortSignal,
): Promise<Record<string, number>> {
  const taught: Record<string, number> = {};
  for (let i = 0; !stop.aborted; i++) {
    const label = LABELS[i % LABELS.length];
    const lesson = lessonOf(backbone, label, LESSON_EXAMPLES, 1 + loader * 10_000 + i);
    for (;;) {
      const answer = await mortal.teach(key, 'pets', lesson, `lesson-${loader}-${i}`).catch(() => undefined);
      const text = await answer?.text().catch(() => undefined);
      if (answer?.status === 200 && text !== undefined) break;
      // 503 and the like are answers, but to be repeated; anything else is a fault.
      check(
        answer === undefined || text === undefined || answer.status >= 500,
        `a lesson was answered ${answer?.status}: ${text}`,
      );
      await wait(50);
    }
    taught[label] = (taught[label] ?? 0) + LESSON_EXAMPLES;
  }
  return taught;
}

async function killing(kills: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-soak-'));
  const mortal = new Mortal(folder);
  await mortal.start();
  const backbone = await mortal.backbone();
  const keys = [await mortal.newTenant(), await mortal.newTenant()];
  const stop = new AbortController();
  const loads = Array.from({ length: LOADERS }, (_, loader) =>
    load(mortal, keys[loader % 2], backbone, loader, stop.signal),
  );
  for (let kill = 0; kill < kills; kill++) {
    await wait(random() * LONGEST_LIFE_MS);
    mortal.kill();
    await mortal.restart();
  }
  stop.abort();
  const taught = await Promise.all(loads);
  let lessons = 0;
  for (const [i, key] of keys.entries()) {
    const wanted: Record<string, number> = {};
    for (const [loader, counts] of taught.entries()) {
      if (loader % 2 !== i) continue;
      for (const [label, count] of Object.entries(counts)) wanted[label] = (wanted[label] ?? 0) + count;
    }
    const found = await mortal.counts(key, 'pets');
    lessons += Object.values(wanted).reduce((sum, count) => sum + count, 0) / LESSON_EXAMPLES;
    for (const label of LABELS)
      check(
        found[label] === wanted[label],
        `${label}: ${found[label]} examples are there, ${wanted[label]} were taught`,
      );
    const trained = z.object({ classes: z.array(z.object({ label: z.string(), examples: z.int() })) });
    const answer = trained.parse(
      await (await mortal.call(key, '/v1/heads/pets/train', { method: 'POST' })).json(),
    );
    for (const { label, examples } of answer.classes)
      check(
        examples === wanted[label],
        `the head knows ${examples} of ${wanted[label]} examples of ${label}`,
      );
    check((await classify(mortal, key)).status === 200, 'the head does not answer after the kills');
  }
  await mortal.stop();
  rmSync(folder, { recursive: true, force: true });
  console.log(`${kills} kills under load: ${lessons} lessons answered, each counted once.`);
}

function classify(mortal: Mortal, key: string): Promise<Response> {
  const headers = { 'content-type': 'image/png' };
  return mortal.call(key, '/v1/heads/pets/classify', { method: 'POST', headers, body: PICTURE });
}

/** Each tenant has labels of its own, so that one seen elsewhere would show. */
async function crowd(tenants: number, lessons: number, pictures: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-soak-'));
  const mortal = new Mortal(folder);
  await mortal.start();
  const backbone = await mortal.backbone();
  const keys: string[] = [];
  for (let t = 0; t < tenants; t++) {
    const key = await mortal.newTenant();
    for (const label of [`a-${t}`, `b-${t}`])
      await (await mortal.teach(key, 'pets', lessonOf(backbone, label, 2, t + 1), label)).text();
    keys.push(key);
  }
  const Answer = z.object({ predictions: z.array(z.object({ label: z.string() })) });
  const look = async (t: number): Promise<void> => {
    const answer = await classify(mortal, keys[t]);
    check(answer.status === 200, `classify was answered ${answer.status}`);
    for (const { label } of Answer.parse(await answer.json()).predictions)
      check(label.endsWith(`-${t}`), `tenant ${t} was told of '${label}'`);
  };
  const startedAt = performance.now();
  const teaching = Array.from({ length: lessons }, async (_, i) => {
    const t = i % tenants;
    const answer = await mortal.teach(
      keys[t],
      'pets',
      lessonOf(backbone, `c-${t}`, 2, 1000 + i),
      `lesson-${i}`,
    );
    check(answer.status === 200, `a lesson was answered ${answer.status}: ${await answer.text()}`);
  });
  let next = 0;
  const looking = Array.from({ length: 16 }, async () => {
    while (next < pictures) await look(next++ % tenants);
  });
  await Promise.all([...teaching, ...looking]);
  const seconds = (performance.now() - startedAt) / 1000;
  const each = (2 * lessons) / tenants;
  for (const [t, key] of keys.entries()) {
    const found = await mortal.counts(key, 'pets');
    const wanted = { [`a-${t}`]: 2, [`b-${t}`]: 2, [`c-${t}`]: each };
    check(isDeepStrictEqual(found, wanted), `tenant ${t} has ${JSON.stringify(found)}`);
  }
  await mortal.stop();
  rmSync(folder, { recursive: true, force: true });
  console.log(
    `${tenants} tenants: ${lessons} lessons and ${pictures} pictures at once in ${seconds.toFixed(1)} s.`,
  );
}

await killing(Number(values.kills));
await crowd(20, 200, 2_000);
await steadyMemory(check);
for (const fault of faults.slice(0, 20)) console.error(`FAULT: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);
