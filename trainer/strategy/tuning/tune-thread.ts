/**
 * One fine-tuning run on a thread of its own: TensorFlow.js computes without a pause, and the main thread has to show
 * progress and to hear Ctrl-C. Saves its state every few steps and when it is told to stop.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { WHOLE, type Tail } from '../../../src/backbone/index.ts';
import { backboneAt } from '../../../src/backbone/at-size.ts';
import { registerGradients } from '../../../src/backbone/tfjs/gradients.ts';
import { FineTune, type FineTuneTask, type Progress } from '../../../src/learn/fine-tune/fine-tune.ts';
import type { FineTuneOptions } from '../../../src/learn/fine-tune/options.ts';
import type { LinearStart } from '../../../src/learn/fine-tune/softmax-head.ts';
import { readState, writeState, type FineTuneState } from '../../../src/learn/fine-tune/state.ts';
import { loadTrainingModules, loadTrunk, readBackbone, type CodesWanted } from '../../runtime.ts';
import { pictureReader, type StoredPictures } from './pixel-store.ts';

export interface TuneJob extends Pick<CodesWanted, 'weightsSha256' | 'input'> {
  readonly from: string;
  readonly pictures: StoredPictures;
  /** Places of the examples in the file of pictures, and their classes. */
  readonly examples: Uint32Array;
  readonly targets: Uint16Array;
  readonly start: LinearStart;
  readonly options: FineTuneOptions;
  /** Where the state is kept, and the words that tell it from others'. */
  readonly statePath: string;
  readonly task: string;
  /** Whether to go on from the state that is there. */
  readonly resume: boolean;
}

export type TuneMessage =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'done'; readonly tail: Tail };

/** A crash costs at most this many steps, a few seconds to half a minute. */
const STEPS_BETWEEN_SAVES = 30;

const stop = new AbortController();

async function run(job: TuneJob, report: (message: TuneMessage) => void): Promise<void> {
  const { tfjs, gradients } = await loadTrainingModules();
  await registerGradients(tfjs, gradients);
  const backbone = backboneAt(await readBackbone(job.weightsSha256), job.input);
  const trunk = job.from === WHOLE ? undefined : await loadTrunk(backbone, job.from);
  const readPicture = pictureReader(job.pictures);
  const task: FineTuneTask = {
    backbone,
    from: job.from,
    ...(trunk === undefined ? {} : { trunk }),
    targets: job.targets,
    picture: (example) => readPicture(job.examples[example]),
    stored: job.pictures,
    start: job.start,
  };
  const fineTune = new FineTune(task, job.options, job.resume ? savedState(job) : undefined);
  const save = (): void => saveState(job, fineTune.state);
  while (!fineTune.isDone && !stop.signal.aborted) {
    const progress = fineTune.step();
    report({ kind: 'progress', progress });
    if (progress.step % STEPS_BETWEEN_SAVES === 0) save();
    // Lets the word to stop come in.
    await setImmediate();
  }
  save();
  report(fineTune.isDone ? { kind: 'done', tail: fineTune.tail() } : { kind: 'stopped' });
}

function savedState({ statePath, task }: TuneJob): FineTuneState | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(statePath);
  } catch {
    // Not begun yet when the run was interrupted.
    return undefined;
  }
  return readState(bytes, task);
}

/** Written beside and renamed: whenever the program ends, the file is whole. */
function saveState({ statePath, task }: TuneJob, state: FineTuneState): void {
  writeFileSync(`${statePath}.part`, writeState(state, task));
  renameSync(`${statePath}.part`, statePath);
}

const port = parentPort;
port?.on('message', (message: unknown) => {
  if (message === 'stop') stop.abort();
});
if (port !== null) {
  // tune.ts is the only one to start this file.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  await run(workerData as TuneJob, (message) => {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of Node's, not a window
    port.postMessage(message);
  });
  port.close();
}
