/**
 * A tenant with heads in three code spaces: one that an older deployment taught on MobileNetV3-Small, one that the present one
 * taught on EfficientNet-Lite0 at 160 pixels, and one of the trainer's at 224. Beside it three tenants with one of them each.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { PictureInput } from '../../../src/head/index.ts';
import { Mortal } from '../local/teaching.ts';
import { NEW, OLD, sharedDefaults } from '../local/two-defaults.ts';
import { photos } from '../photos.ts';
import { shared } from '../shared.ts';
import { headwater, writeFiles } from '../trainer/workspace.ts';

export const HEADS = ['old', 'edge', 'large'] as const;
export type HeadName = (typeof HEADS)[number];
export const LABELS = ['glass', 'paper'] as const;

export const SPACES: Readonly<Record<HeadName, { backbone: string; input: PictureInput }>> = {
  old: OLD,
  edge: NEW,
  large: { backbone: NEW.backbone, input: { height: 224, width: 224, rules: 2 } },
};

const EACH = 8;

export interface ThreeSpaces {
  readonly worker: Mortal;
  /** Key of the tenant that has all of them. */
  readonly key: string;
  /** Keys of those that have one each. */
  readonly alone: Readonly<Record<HeadName, string>>;
  /** The trainer's head file. */
  readonly large: Uint8Array<ArrayBuffer>;
  readonly close: () => Promise<void>;
}

export function photo(split: 'train' | 'test', label: string, nth: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(photos(split, label)[nth]));
}

/** @param from the first photo of each label. */
export function batch(count: number, from = 0): FormData {
  const form = new FormData();
  for (const label of LABELS)
    for (let i = from; i < from + count; i++)
      form.append(label, new Blob([photo('train', label, i)]), `${label}-${i}.jpg`);
  return form;
}

/** What the Worker answers, as JSON. @throws Error with the answer where it is none of success. */
export async function callJson(
  worker: Mortal,
  key: string,
  path: string,
  init: RequestInit = {},
): Promise<unknown> {
  const answer = await worker.call(key, path, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

export const json = (body: unknown, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const Keys = z.object({
  key: z.string(),
  alone: z.object({ old: z.string(), edge: z.string(), large: z.string() }),
});
type Keys = z.infer<typeof Keys>;

/** Parts of the folder that all test files of a run have in common. */
const STATE = 'state';
const KEYS = 'keys.json';
const LARGE = 'large';

/**
 * Starts the present deployment on stores of its own.
 * @param folder for the stores and the test's files.
 * @param before is done first, while the older deployment runs on these stores.
 */
export async function openThreeSpaces(
  folder: string,
  before?: (older: Mortal, key: string) => Promise<void>,
): Promise<ThreeSpaces> {
  const made = await shared('three-spaces', makeThreeSpaces);
  const { older, later } = await sharedDefaults();
  const { key, alone } = Keys.parse(JSON.parse(readFileSync(join(made, KEYS), 'utf8')));
  const state = join(folder, STATE);
  cpSync(join(made, STATE), state, { recursive: true });
  if (before !== undefined) await during(new Mortal(state, undefined, older), (its) => before(its, key));
  const worker = new Mortal(state, undefined, later);
  await worker.start();
  const large = new Uint8Array(readFileSync(join(made, LARGE)));
  return { worker, key, alone, large, close: () => worker.stop() };
}

/** Stores that both deployments have taught, one after the other, the keys to them, and the trainer's head. */
async function makeThreeSpaces(folder: string): Promise<void> {
  const { older, later } = await sharedDefaults();
  const state = join(folder, STATE);
  const keys = await during(new Mortal(state, undefined, older), teachOlder);
  writeFileSync(join(folder, KEYS), JSON.stringify(keys));
  await train(folder);
  const large = new Uint8Array(readFileSync(join(folder, LARGE)));
  await during(new Mortal(state, undefined, later), (worker) => teachLater(worker, keys, large));
}

/** What is done while it runs. */
async function during<T>(worker: Mortal, task: (worker: Mortal) => Promise<T>): Promise<T> {
  await worker.start();
  try {
    return await task(worker);
  } finally {
    await worker.stop();
  }
}

async function teachOlder(older: Mortal): Promise<Keys> {
  const [key, old, edge, large] = [
    await older.newTenant(),
    await older.newTenant(),
    await older.newTenant(),
    await older.newTenant(),
  ];
  for (const its of [key, old, edge, large])
    await callJson(older, its, '/v1/settings', json({ keep_images: true }, 'PUT'));
  for (const its of [key, old])
    await callJson(older, its, '/v1/heads/old/teach', { method: 'POST', body: batch(EACH) });
  return { key, alone: { old, edge, large } };
}

async function teachLater(
  later: Mortal,
  { key, alone }: Keys,
  large: Uint8Array<ArrayBuffer>,
): Promise<void> {
  for (const its of [key, alone.edge])
    await callJson(later, its, '/v1/heads/edge/teach', { method: 'POST', body: batch(EACH) });
  for (const its of [key, alone.large])
    await callJson(later, its, '/v1/heads/large', { method: 'PUT', body: large });
}

/** A head as `headwater train --size 224` makes it. */
async function train(folder: string): Promise<void> {
  const set = Object.fromEntries(
    LABELS.flatMap((label) =>
      Array.from({ length: EACH }, (_, i) => [`set/${label}/${i}.jpg`, photo('train', label, i)]),
    ),
  );
  writeFiles(folder, set);
  const { backbone, input } = SPACES.large;
  const space = ['--backbone', backbone, '--size', String(input.width)];
  const { code, stderr } = await headwater(
    ['train', 'set', '--strategy', 'linear-all', '--no-report', '--out', LARGE, ...space],
    { cwd: folder },
  );
  if (code !== 0) throw new Error(stderr);
}
