/**
 * A tenant with heads in three code spaces: one that an older deployment taught on MobileNetV3-Small, one that the present one
 * taught on EfficientNet-Lite0 at 160 pixels, and one of the trainer's at 224. Beside it three tenants with one of them each.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PictureInput } from '../../../src/head/index.ts';
import { Mortal } from '../local/teaching.ts';
import { NEW, OLD, twoDefaults, type Bundles } from '../local/two-defaults.ts';
import { photos } from '../photos.ts';
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
export function lesson(count: number, from = 0): FormData {
  const form = new FormData();
  for (const label of LABELS)
    for (let i = from; i < from + count; i++)
      form.append(label, new Blob([photo('train', label, i)]), `${label}-${i}.jpg`);
  return form;
}

/** What the Worker answers, as JSON. @throws Error with the answer where it is none of success. */
export async function ask(
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

/**
 * @param folder for the stores and the trainer's files.
 * @param meanwhile is done while the older deployment runs.
 */
export async function openThreeSpaces(
  folder: string,
  meanwhile: (older: Mortal, key: string) => Promise<void> = async () => {},
): Promise<ThreeSpaces> {
  const bundles = await twoDefaults();
  try {
    const state = join(folder, 'state');
    const older = new Mortal(state, undefined, bundles.older);
    await older.start();
    const key = await older.newTenant();
    const alone = {
      old: await older.newTenant(),
      edge: await older.newTenant(),
      large: await older.newTenant(),
    };
    for (const its of [key, ...Object.values(alone)])
      await ask(older, its, '/v1/settings', json({ keep_images: true }, 'PUT'));
    for (const its of [key, alone.old])
      await ask(older, its, '/v1/heads/old/teach', { method: 'POST', body: lesson(EACH) });
    await meanwhile(older, key);
    await older.stop();
    return await openLater(folder, state, bundles, key, alone);
  } catch (error) {
    await bundles.remove();
    throw error;
  }
}

async function openLater(
  folder: string,
  state: string,
  { later, remove }: Bundles,
  key: string,
  alone: ThreeSpaces['alone'],
): Promise<ThreeSpaces> {
  const worker = new Mortal(state, undefined, later);
  await worker.start();
  const close = async (): Promise<void> => {
    await worker.stop();
    await remove();
  };
  for (const its of [key, alone.edge])
    await ask(worker, its, '/v1/heads/edge/teach', { method: 'POST', body: lesson(EACH) });
  const large = await trained(folder);
  for (const its of [key, alone.large])
    await ask(worker, its, '/v1/heads/large', { method: 'PUT', body: large });
  return { worker, key, alone, large, close };
}

/** A head as `headwater train --size 224` makes it. */
async function trained(folder: string): Promise<Uint8Array<ArrayBuffer>> {
  const set = Object.fromEntries(
    LABELS.flatMap((label) =>
      Array.from({ length: EACH }, (_, i) => [`set/${label}/${i}.jpg`, photo('train', label, i)]),
    ),
  );
  writeFiles(folder, set);
  const { backbone, input } = SPACES.large;
  const space = ['--backbone', backbone, '--size', String(input.width)];
  const { code, stderr } = await headwater(
    ['train', 'set', '--strategy', 'linear-all', '--no-report', '--out', 'large', ...space],
    { cwd: folder },
  );
  if (code !== 0) throw new Error(stderr);
  return new Uint8Array(readFileSync(join(folder, 'large')));
}
