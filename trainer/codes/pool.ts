/** Codes of pictures on several threads: decoding and the network cost milliseconds of pure computation each. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { CodesWanted } from '../runtime.ts';
import { concurrently } from './concurrently.ts';
import type { Answer, Job } from './extract.ts';

/** A thread takes about a second and 150 MB to start: worth it from about this many pictures each. */
const PICTURES_PER_THREAD = 60;
const MAX_THREADS = 8;

/** @returns how many threads to use for so many pictures. */
export function threadsFor(pictures: number): number {
  return Math.max(
    1,
    Math.min(availableParallelism(), MAX_THREADS, Math.ceil(pictures / PICTURES_PER_THREAD)),
  );
}

/**
 * @param onAnswer called for every job, in the order in which they are done.
 * @throws when a thread dies; an unusable picture is an answer, no failure.
 */
export async function runJobs<J extends Job>(
  jobs: readonly J[],
  wanted: CodesWanted,
  onAnswer: (job: J, answer: Answer) => Promise<void>,
): Promise<void> {
  const threads = threadsFor(jobs.length);
  const start = (): Worker => new Worker(new URL('thread.ts', import.meta.url), { workerData: wanted });
  const workers = Array.from({ length: threads }, start);
  const idle = [...workers];
  try {
    await concurrently(jobs, threads, async (job) => {
      const worker = idle.pop();
      if (worker === undefined) throw new Error('More jobs run at once than there are threads.');
      const answer = await answerOf(worker, job);
      idle.push(worker);
      await onAnswer(job, answer);
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function answerOf(worker: Worker, job: Job): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const onExit = (code: number): void =>
    reject(new Error(`A thread ended with code ${code} at ${job.path}.`));
  worker.on('message', resolve).on('error', reject).on('exit', onExit);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node's, not a window
  worker.postMessage(job);
  return promise.finally(() => worker.off('message', resolve).off('error', reject).off('exit', onExit));
}
