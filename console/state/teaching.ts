/** Sends staged pictures in batches that only store, and trains with the last. */
import type { Taught } from '../../sdk/client.ts';
import { client } from './session.ts';
import { remember } from './thumbnails.ts';
import { removePictures, type StagedPicture } from './staged.ts';

/** Small enough that a lost connection costs little, and well below the Worker's own caps. */
const MAX_BATCH_PICTURES = 16;
const MAX_BATCH_BYTES = 6 * 1024 * 1024;

export interface TeachProgress {
  readonly phase: 'sending' | 'training';
  /** From 0 to 1, of the bytes. */
  readonly share: number;
}

/**
 * Pictures that were stored leave the stage, so that after a failure only the others are sent again.
 * @returns the last answer, with the counts of all; undefined without pictures. @throws ApiError
 */
export async function teach(
  head: string,
  pictures: readonly StagedPicture[],
  onProgress: (progress: TeachProgress) => void,
): Promise<Taught | undefined> {
  const total = pictures.reduce((sum, { blob }) => sum + blob.size, 0);
  const batches = inBatches(pictures);
  let before = 0;
  let answer: Taught | undefined;
  for (const [i, batch] of batches.entries()) {
    const last = i === batches.length - 1;
    const size = batch.reduce((sum, { blob }) => sum + blob.size, 0);
    onProgress({ phase: 'sending', share: before / total });
    const next = await client().teach(
      head,
      batch.map(({ label, name, blob }) => ({ label, name, bytes: blob })),
      {
        idempotencyKey: randomKey(),
        train: last,
        onUploadProgress: ({ sent, total: envelope }) => {
          const done = sent >= envelope && last;
          const share = (before + (size * sent) / Math.max(envelope, 1)) / total;
          onProgress({ phase: done ? 'training' : 'sending', share: Math.min(share, 1) });
        },
      },
    );
    answer = { ...next, ...sumOf(answer, next) };
    before += size;
    for (const { blob } of batch) await remember(blob);
    removePictures(head, batch);
  }
  return answer;
}

function sumOf(before: Taught | undefined, next: Taught): Pick<Taught, 'added' | 'duplicates'> {
  return {
    added: (before?.added ?? 0) + (next.added ?? 0),
    duplicates: (before?.duplicates ?? 0) + (next.duplicates ?? 0),
  };
}

function inBatches(pictures: readonly StagedPicture[]): StagedPicture[][] {
  const batches: StagedPicture[][] = [];
  let bytes = 0;
  for (const picture of pictures) {
    const open = batches.at(-1);
    const full = open === undefined || open.length === MAX_BATCH_PICTURES;
    if (full || bytes + picture.blob.size > MAX_BATCH_BYTES) {
      batches.push([picture]);
      bytes = picture.blob.size;
    } else {
      open.push(picture);
      bytes += picture.blob.size;
    }
  }
  return batches;
}

/** crypto.randomUUID is missing on pages that did not come over https. */
function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
}
