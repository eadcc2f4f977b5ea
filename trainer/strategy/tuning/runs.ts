/** Fine-tuning runs, which are saved as they go: after an interrupt the same command with --resume goes on from there. */
import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Tail } from '../../../src/backbone/index.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { FINE_TUNE_DEFAULTS, type FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import type { LinearStart } from '../../../src/learn/fine-tune/softmax-head.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import type { StreamedSet } from '../../../src/learn/training-set.ts';
import { keepRuns } from '../../cli/interrupt.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { LEARNING } from '../../learning.ts';
import { cacheFolder } from '../../paths.ts';
import { selectExamples, withTaps, type TrainingData } from '../training-data.ts';
import { storedSize, storePictures, type StoredPictures } from './pixel-store.ts';
import { tune } from './threads.ts';
import type { TuneJob } from './tune-thread.ts';

export interface RunOptions {
  readonly seed: number;
  /** Whether to go on with runs that were interrupted. */
  readonly resume: boolean;
  /** Absolute path of the head to be: what is saved of a run is the business of runs that write the same file alone. */
  readonly out: string;
  readonly terminal: Terminal;
}

/** The place where runs on one training set are saved. */
export interface Runs {
  readonly folder: string;
  readonly pictures: StoredPictures;
  readonly options: FineTuneOptions;
  readonly resume: boolean;
  /** Forgets saved runs: they are of use only until the head is written. */
  close(): Promise<void>;
}

/** Decodes the pictures once for all runs. @throws HeadwaterError `training_data_too_large`, FileError */
export async function openRuns(data: TrainingData, options: RunOptions): Promise<Runs> {
  if (data.set.rows.codes === undefined) {
    throw new HeadwaterError(
      'training_data_too_large',
      'The codes of so many pictures do not fit memory, and tuning needs them all; use a linear strategy.',
    );
  }
  const { seed, resume, terminal } = options;
  const folder = join(cacheFolder(), 'runs', runKey(data, options));
  if (!resume) await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const release = keepRuns();
  return {
    folder,
    pictures: await storeAll(data, folder, terminal),
    options: { ...FINE_TUNE_DEFAULTS, seed },
    resume,
    close: async () => {
      await rm(folder, { recursive: true, force: true });
      release();
    },
  };
}

/** Everything that a run depends on but its own options, and the file that it is for. */
function runKey({ reading, pictures, set }: TrainingData, { seed, out }: RunOptions): string {
  const hash = createHash('sha256')
    .update(reading.backbone.plan.weightsSha256)
    .update(JSON.stringify([reading.input, seed, out]));
  for (const [i, { sha256 }] of pictures.entries()) hash.update(sha256).update(set.labels[set.targets[i]]);
  return hash.digest('hex').slice(0, 32);
}

async function storeAll(
  { pictures, reading }: TrainingData,
  folder: string,
  terminal: Terminal,
): Promise<StoredPictures> {
  const stored = { path: join(folder, 'pictures.rgb'), ...storedSize(reading.input) };
  const progress = terminal.progress('Pictures', pictures.length);
  await storePictures(pictures, stored, () => progress.step());
  progress.stop();
  return stored;
}

/**
 * Tunes a network on each of these parts of the examples. @param from the step whose output the tails read.
 * @returns the tails, in the order of the parts. @throws InterruptedError
 */
export async function tuneOn(
  parts: readonly (readonly number[])[],
  from: string,
  data: TrainingData,
  runs: Runs,
  { label, terminal }: { readonly label: string; readonly terminal: Terminal },
): Promise<Tail[]> {
  const { reading, set } = data;
  const { plan } = reading.backbone;
  const last = withTaps(data, set.taps.slice(-1));
  const jobs = await Array.fromAsync(parts, async (examples) => ({
    ...savedRun(runs, from, examples),
    weightsSha256: plan.weightsSha256,
    input: reading.input,
    from,
    examples: Uint32Array.from(examples),
    targets: Uint16Array.from(examples, (i) => set.targets[i]),
    start: await startOf(last, examples),
  }));
  const steps = jobs.reduce((sum, { examples, options }) => sum + stepsOf(examples.length, options), 0);
  return tune(jobs, label, steps, terminal);
}

function savedRun(
  { folder, pictures, options, resume }: Runs,
  from: string,
  examples: readonly number[],
): Pick<TuneJob, 'pictures' | 'options' | 'statePath' | 'task' | 'resume'> {
  const task = createHash('sha256')
    .update(JSON.stringify([from, options, examples]))
    .digest('hex');
  return { pictures, options, statePath: join(folder, `${task}.safetensors`), task, resume };
}

/** The head on the last tap that these examples give with the frozen network. */
async function startOf(last: StreamedSet, examples: readonly number[]): Promise<LinearStart> {
  const head = await trainHead(selectExamples(last, examples), LEARNING);
  const { mean, deviation, weights, bias, temperature } = head;
  return { mean, deviation, weights, bias, temperature };
}

/** Steps of a run on so many examples. */
export function stepsOf(examples: number, { epochs, batch }: FineTuneOptions): number {
  return Math.max(1, Math.floor(examples / batch)) * epochs;
}
