/** Runs fine-tuning jobs on threads, two at a time where there are two cores, with one progress display for all. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Tail } from '../../../src/backbone/index.ts';
import { concurrently } from '../../codes/concurrently.ts';
import { InterruptedError } from '../../cli/failure.ts';
import { takeInterrupt } from '../../cli/interrupt.ts';
import type { Terminal } from '../../cli/terminal.ts';
import type { TuneJob, TuneMessage } from './tune-thread.ts';

/** Each takes about 300 MB. */
const MAX_THREADS = 4;

/** @returns how many of so many jobs go on side by side. */
export function tuningThreads(jobs: number): number {
  return Math.min(availableParallelism(), MAX_THREADS, jobs);
}

/**
 * @param steps of all jobs together, for the progress display. @param onStep called after each, with the job's place.
 * @returns the jobs' tails, in their order.
 * @throws InterruptedError after Ctrl-C, once every running job has saved its state.
 */
export async function tune(
  jobs: readonly TuneJob[],
  label: string,
  steps: number,
  terminal: Terminal,
  onStep?: (job: number) => void,
): Promise<Tail[]> {
  const progress = terminal.progress(label, steps);
  const tails: Tail[] = [];
  const running = new Set<Worker>();
  const stop = new AbortController();
  const release = takeInterrupt(() => {
    stop.abort();
    terminal.note('Interrupted; saving …');
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- threads of Node's, no windows
    for (const worker of running) worker.postMessage('stop');
  });
  try {
    await concurrently(jobs, tuningThreads(jobs.length), async (job, index) => {
      if (stop.signal.aborted) return;
      const tail = await runJob(job, running, (message) => {
        onStep?.(index);
        progress.step(
          `loss ${message.progress.loss.toFixed(2)}, right ${(100 * message.progress.accuracy).toFixed(0)} %`,
        );
      });
      if (tail !== undefined) tails[index] = tail;
    });
  } finally {
    release();
    progress.stop();
  }
  if (stop.signal.aborted) throw new InterruptedError();
  return tails;
}

/** @returns undefined when it was stopped. */
async function runJob(
  job: TuneJob,
  running: Set<Worker>,
  onProgress: (message: Extract<TuneMessage, { kind: 'progress' }>) => void,
): Promise<Tail | undefined> {
  const worker = new Worker(new URL('tune-thread.ts', import.meta.url), { workerData: job });
  running.add(worker);
  try {
    return await new Promise((resolve, reject) => {
      worker.on('message', (message: TuneMessage) => {
        if (message.kind === 'progress') onProgress(message);
        else resolve(message.kind === 'done' ? message.tail : undefined);
      });
      worker.on('error', reject);
      worker.on('exit', (code) => reject(new Error(`A fine-tuning thread ended with code ${code}.`)));
    });
  } finally {
    running.delete(worker);
    await worker.terminate();
  }
}
