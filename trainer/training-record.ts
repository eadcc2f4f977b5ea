/**
 * What a head was trained on, remembered beside the CNN codes under the SHA-256 of the head file: `eval` can then train
 * again without one class and then the next, without being told where the pictures are. A convenience of the machine
 * that trained the head; nothing of it is in the head.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from './files.ts';
import { cacheFolder } from './paths.ts';

const Record = z.object({
  format: z.literal('headwater-training-record/1'),
  source: z.string(),
});

/** @param source absolute path of the data set. */
export async function rememberTraining(headSha256: string, source: string): Promise<void> {
  const record: z.infer<typeof Record> = { format: 'headwater-training-record/1', source };
  // Only a convenience: a cache that can't be written has been warned of already.
  await writeWhole(path(headSha256), JSON.stringify(record)).catch(() => {});
}

/** @returns the data set's path, or undefined when this machine did not train the head. */
export async function recallTraining(headSha256: string): Promise<string | undefined> {
  try {
    const record = Record.safeParse(JSON.parse(await readFile(path(headSha256), 'utf8')));
    return record.success ? record.data.source : undefined;
  } catch {
    return undefined;
  }
}

function path(headSha256: string): string {
  return join(cacheFolder(), 'trained-on', `${headSha256}.json`);
}
