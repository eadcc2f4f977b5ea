/** A Worker in memory with a head to look at, taught from a folder of photos with a folder for each class. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HeadwaterClient } from '../../sdk/client.ts';
import { type DemoSet, type LabelledFile, ofEachClass } from '../demo/pictures.ts';
import { newTenant } from '../demo/tenant.ts';
import { startLocalWorker, type LocalWorker } from '../local-worker.ts';

const ADMIN_SECRET = 'the admin secret of the screenshots';
export const HEAD = 'kitchen';
/** At most so many pictures of a class: enough for metrics worth a look. */
const PER_CLASS = 40;
const BATCH = 16;

export interface Fixture {
  readonly worker: LocalWorker;
  readonly key: string;
  readonly set: DemoSet;
}

/** Two versions are taught, the second with all pictures. */
export async function openFixture(set: DemoSet): Promise<Fixture> {
  const worker = await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET });
  const key = await newTenant(worker.url, ADMIN_SECRET, 'Screenshots');
  const client = new HeadwaterClient({ url: worker.url, key });
  const files = ofEachClass(set.train, PER_CLASS);
  const half = ofEachClass(files, Math.ceil(files.length / 2 / labelsOf(files).length));
  await teach(client, half);
  const rest = files.filter((file) => !half.includes(file));
  if (rest.length > 0) await teach(client, rest);
  await client.createKey('gate camera', ['read']);
  return { worker, key, set };
}

async function teach(client: HeadwaterClient, files: readonly LabelledFile[]): Promise<void> {
  for (let start = 0; start < files.length; start += BATCH) {
    const pictures = files.slice(start, start + BATCH).map(({ path, label }) => ({
      label,
      name: basename(path),
      bytes: new Uint8Array(readFileSync(path)),
    }));
    const train = start + BATCH >= files.length;
    await client.teach(HEAD, pictures, { idempotencyKey: crypto.randomUUID(), train });
  }
}

export function labelsOf(files: readonly LabelledFile[]): string[] {
  return [...new Set(files.map(({ label }) => label))];
}
