/** headwater teach: sends a data set to a Worker in batches; the Worker trains the head when all of it has arrived. */
import { randomUUID } from 'node:crypto';
import { HeadwaterError } from '../../src/errors.ts';
import type { ImageDecoder } from '../../src/image/index.ts';
import type { Taught, Upload } from '../../sdk/client.ts';
import { hashPictures } from '../codes/hash.ts';
import { readPictureFile } from '../codes/picture-file.ts';
import type { DataSet, LabelledPicture, Skipped } from '../datasets/dataset.ts';
import { dropCopies } from '../datasets/duplicates.ts';
import { openDataSet } from '../datasets/index.ts';
import { FileError } from '../cli/failure.ts';
import { loadDecoder } from '../runtime.ts';
import { reportSkipped, skippedJson } from '../cli/skipped.ts';
import type { Terminal } from '../cli/terminal.ts';
import { clientFor, requireHeadName, type WorkerOptions } from '../cli/worker-options.ts';

export interface TeachOptions extends WorkerOptions {
  readonly head: string;
}

/** Of one request: small enough for any Worker and for a progress bar that moves. */
const BATCH_PICTURES = 16;
const BATCH_BYTES = 12_000_000;

export async function teach(data: string, options: TeachOptions, terminal: Terminal): Promise<void> {
  const name = requireHeadName(options.head);
  const client = clientFor(options);
  const dataSet = await openDataSet(data);
  const { pictures, skipped } = await usablePictures(dataSet, terminal);
  const account = { source: dataSet.source, skipped, notPictures: dataSet.notPictures };
  reportSkipped(terminal, account);
  if (pictures.length === 0) {
    throw new HeadwaterError('training_data_invalid', `${dataSet.source} holds no picture that can be used.`);
  }
  const run = randomUUID();
  const progress = terminal.progress('Teaching', pictures.length);
  let sent = 0;
  let batches = 0;
  let answer: Taught | undefined;
  for await (const batch of inBatches(pictures)) {
    sent += batch.length;
    // A repeat after a lost connection must not teach twice; another run of the same command is another request.
    const idempotencyKey = `${run}-${batches++}`;
    answer = await client.teach(name, batch, { idempotencyKey, train: sent === pictures.length });
    for (const _ of batch) progress.step();
  }
  progress.stop();
  const version = answer?.version === undefined ? '' : ` version ${answer.version}`;
  terminal.print(`${name}${version}: ${sent} pictures taught in ${batches} requests`);
  terminal.result({ head: name, sent, requests: batches, skipped: skippedJson(account), answer });
}

/** Reads batches from disk one at a time. The last picture given is in the last batch. */
async function* inBatches(pictures: readonly LabelledPicture[]): AsyncGenerator<Upload[]> {
  let batch: Upload[] = [];
  let bytes = 0;
  for (const { path, name, label } of pictures) {
    const file = await readPictureFile(path);
    const full = batch.length === BATCH_PICTURES || bytes + file.bytes.length > BATCH_BYTES;
    if (full && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push({ label, name, bytes: file.bytes });
    bytes += file.bytes.length;
  }
  if (batch.length > 0) yield batch;
}

/** Decodes here what the Worker would refuse, so that one broken file cannot fail a request full of good ones. */
async function usablePictures(
  dataSet: DataSet,
  terminal: Terminal,
): Promise<{ pictures: LabelledPicture[]; skipped: Skipped[] }> {
  const { hashed, unusable } = await hashPictures(dataSet.pictures, terminal);
  const { kept, skipped } = dropCopies(hashed);
  const decoder = await loadDecoder();
  const pictures: LabelledPicture[] = [];
  const broken = [...unusable];
  const progress = terminal.progress('Checking', kept.length);
  for (const picture of kept) {
    const detail = await problemOf(picture.path, decoder);
    if (detail === undefined) pictures.push(picture);
    else broken.push({ name: picture.name, reason: 'unusable', detail });
    progress.step();
  }
  progress.stop();
  return { pictures, skipped: [...dataSet.skipped, ...broken, ...skipped] };
}

async function problemOf(path: string, decoder: ImageDecoder): Promise<string | undefined> {
  try {
    await decoder.decode((await readPictureFile(path)).bytes, { width: 1, height: 1 });
    return undefined;
  } catch (error) {
    if (error instanceof HeadwaterError || error instanceof FileError) return error.message;
    throw error;
  }
}
