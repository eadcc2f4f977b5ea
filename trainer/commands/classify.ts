/** headwater classify: a head's predictions for pictures, computed here from a head file or by a Worker. */
import { existsSync } from 'node:fs';
import type { Classification } from '../../src/api/index.ts';
import type { Head } from '../../src/head/head.ts';
import { assertCompatible, score } from '../../src/head/index.ts';
import { inputOf } from '../../src/head/picture-input.ts';
import { sniff } from '../../src/image/sniff.ts';
import type { HeadwaterClient } from '../../sdk/client.ts';
import { codeOfPicture } from '../codes/extract.ts';
import { readPictureFile } from '../codes/picture-file.ts';
import type { Picture } from '../datasets/dataset.ts';
import { listPictures } from '../datasets/index.ts';
import { EXIT, explain, UsageError } from '../cli/failure.ts';
import { percent } from '../evaluation/metrics-text.ts';
import { readHeadFile } from '../head-file.ts';
import { userPath } from '../paths.ts';
import { loadRuntime, readBackbone, type Runtime } from '../runtime.ts';
import { reportSkipped } from '../cli/skipped.ts';
import { table, type Terminal } from '../cli/terminal.ts';
import { clientFor, requireHeadName, type WorkerOptions } from '../cli/worker-options.ts';

interface ClassifyOptions extends WorkerOptions {
  readonly head: string;
  readonly topK: number;
}

/** The answer in the shape of the HTTP API. */
type Answer = Pick<Classification, 'predictions' | 'unknown' | 'image'> & { readonly version?: number };

type Outcome = Answer | { readonly error: { readonly code: string; readonly message: string } };
type Result = { readonly picture: string } & Outcome;

/** Classifies one picture. */
type Classifier = (bytes: Uint8Array<ArrayBuffer>) => Promise<Answer>;

export async function classify(paths: string[], options: ClassifyOptions, terminal: Terminal): Promise<void> {
  const pictures = await findPictures(paths, terminal);
  const classifier = await createClassifier(options);
  const progress = terminal.progress('Pictures', pictures.length);
  const results: Result[] = [];
  for (const { path, name } of pictures) {
    results.push({ picture: name, ...(await answerFor(path, classifier)) });
    progress.step();
  }
  progress.stop();
  terminal.print(table(['picture', 'label', 'score', 'next', 'unknown'], results.map(row)));
  terminal.result({ head: options.head, results });
  // The other answers stand, but a script should hear of the picture that got none.
  if (results.some((result) => 'error' in result)) process.exitCode = EXIT.failed;
}

async function findPictures(paths: readonly string[], terminal: Terminal): Promise<Picture[]> {
  const pictures: Picture[] = [];
  for (const path of paths) {
    const listing = await listPictures(userPath(path));
    reportSkipped(terminal, { source: path, ...listing });
    // A single file is called what the user called it; what was found in a folder has the folder's name before it.
    const isFile = listing.pictures.length === 1 && listing.pictures[0].path === userPath(path);
    const prefix = path.replace(/(?<![/\\])[/\\]+$/, '');
    for (const found of listing.pictures)
      pictures.push({ path: found.path, name: isFile ? path : `${prefix}/${found.name}` });
  }
  if (pictures.length === 0) throw new UsageError('There is no picture to classify.');
  return pictures;
}

/** A head that exists as a file is one; any other name is a head of the Worker. */
async function createClassifier(options: ClassifyOptions): Promise<Classifier> {
  const path = userPath(options.head);
  const isFile = existsSync(path) || /[/\\]|\.safetensors$/.test(options.head);
  if (!isFile) return remote(clientFor(options), requireHeadName(options.head), options.topK);
  const { head } = await readHeadFile(path);
  const { weightsSha256 } = head.backbone;
  const { plan } = await readBackbone(weightsSha256);
  assertCompatible(head, plan);
  const runtime = await loadRuntime({ weightsSha256, input: inputOf(head, plan), view: head });
  return local(runtime, head, options.topK);
}

function local(runtime: Runtime, head: Head, topK: number): Classifier {
  return async (bytes) => {
    const { code, image } = await codeOfPicture(runtime, bytes);
    const { probabilities, unknown } = score(head, code);
    const predictions = head.labels
      .map((label, i) => ({ label, score: probabilities[i] }))
      .sort((a, b) => b.score - a.score)
      .slice(0, topK);
    const { width, height, format } = image;
    return {
      predictions,
      unknown: { score: unknown.score, is_unknown: unknown.isUnknown },
      image: { width, height, format },
    };
  };
}

function remote(client: HeadwaterClient, head: string, topK: number): Classifier {
  return async (bytes) => {
    const picture = { bytes, type: `image/${sniff(bytes)}` };
    const { head: _head, ...answer } = await client.classify(head, picture, { topK });
    return answer;
  };
}

async function answerFor(path: string, classifier: Classifier): Promise<Outcome> {
  try {
    return await classifier((await readPictureFile(path)).bytes);
  } catch (error) {
    const { code, message } = explain(error);
    // Of this picture, whether found here or by the Worker; any other failure is one of them all.
    if (code === 'file' || code.startsWith('image_')) return { error: { code, message } };
    throw error;
  }
}

function row(result: Result): string[] {
  if ('error' in result) return [result.picture, '–', '', result.error.message, ''];
  const [first, ...others] = result.predictions;
  const next = others.map(({ label, score }) => `${label} ${percent(score)}`).join(', ');
  return [result.picture, first.label, percent(first.score), next, result.unknown.is_unknown ? 'yes' : ''];
}
