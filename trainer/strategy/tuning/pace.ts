/** How fast this machine trains, measured by a few steps on a few of the pictures, on as many threads as there will be. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Backbone } from '../../../src/backbone/index.ts';
import { FINE_TUNE_DEFAULTS } from '../../../src/learn/fine-tune/options.ts';
import type { LinearStart } from '../../../src/learn/fine-tune/softmax-head.ts';
import type { Terminal } from '../../cli/terminal.ts';
import { cacheFolder } from '../../paths.ts';
import type { TrainingData } from '../training-data.ts';
import { START_SECONDS, trainingMs } from '../cost/tuning.ts';
import { MARGIN, type Pace } from '../cost/pace.ts';
import { storedSize, storePictures } from './pixel-store.ts';
import { cutFor, type TunedStrategy } from '../strategies.ts';
import type { TuneJob } from './tune-thread.ts';
import { tune, tuningThreads } from './threads.ts';

/** The first step of each thread, which makes everything ready, is not counted. */
const STEPS = 3;

/** What measureTraining takes at most, before any of it is known; in seconds. */
export function measuringSeconds(strategy: TunedStrategy, backbone: Backbone, { slowness }: Pace): number {
  const ms = trainingMs(cutFor(strategy, backbone.plan, backbone.shapes), backbone);
  return START_SECONDS + (MARGIN * STEPS * FINE_TUNE_DEFAULTS.batch * ms * slowness) / 1000;
}

/**
 * Takes three training steps and the start of a thread.
 * @param folds as many runs as may go on side by side.
 * @returns `training` of a TuningPace. @throws InterruptedError
 */
export async function measureTraining(
  data: TrainingData,
  strategy: TunedStrategy,
  folds: number,
  terminal: Terminal,
): Promise<number> {
  const { backbone } = data.reading;
  const from = cutFor(strategy, backbone.plan, backbone.shapes);
  const runs = join(cacheFolder(), 'runs');
  await mkdir(runs, { recursive: true });
  const folder = await mkdtemp(join(runs, 'pace-'));
  try {
    const threads = tuningThreads(folds);
    const one = await jobIn(folder, data, from);
    const jobs = Array.from({ length: threads }, (_, i) => ({ ...one, statePath: join(folder, `${i}`) }));
    const times: number[][] = jobs.map(() => []);
    await tune(jobs, `Measuring ${strategy}`, STEPS * threads, terminal, (job) =>
      times[job].push(performance.now()),
    );
    const stepMs = times.flatMap((all) => all.slice(1).map((time, i) => time - all[i]));
    const meanMs = stepMs.reduce((sum, ms) => sum + ms, 0) / stepMs.length;
    return meanMs / one.examples.length / trainingMs(from, backbone);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A run of STEPS steps, each on the same batch. */
async function jobIn(
  folder: string,
  { reading, pictures: all, set }: TrainingData,
  from: string,
): Promise<TuneJob> {
  const { backbone, input } = reading;
  const count = Math.min(FINE_TUNE_DEFAULTS.batch, all.length);
  const pictures = { path: join(folder, 'pictures.rgb'), ...storedSize(input) };
  await storePictures(all.slice(0, count), pictures, () => {});
  return {
    weightsSha256: backbone.plan.weightsSha256,
    input,
    from,
    pictures,
    examples: Uint32Array.from({ length: count }, (_, i) => i),
    targets: set.targets.slice(0, count),
    start: flatStart(backbone.plan.taps.at(-1)!.channels, set.labels.length),
    options: { ...FINE_TUNE_DEFAULTS, epochs: STEPS },
    statePath: '',
    task: 'pace',
    resume: false,
  };
}

/** A head that knows nothing, with small weights so that gradients flow. */
function flatStart(codeLength: number, classes: number): LinearStart {
  return {
    mean: new Float32Array(codeLength),
    deviation: new Float32Array(codeLength).fill(1),
    weights: Float32Array.from({ length: classes * codeLength }, (_, i) => (i % 2 === 0 ? 0.01 : -0.01)),
    bias: new Float32Array(classes),
    temperature: 1,
  };
}
