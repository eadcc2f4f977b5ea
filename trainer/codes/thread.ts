/** One thread of the pool: reads pictures and answers with their CNN codes. */
import { parentPort, workerData } from 'node:worker_threads';
import { loadRuntime, type CodesWanted } from '../runtime.ts';
import { codeOfFile, type Job } from './extract.ts';

// What it was started with; this file's only caller is pool.ts.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const runtime = loadRuntime(workerData as CodesWanted);

const port = parentPort;

port?.on('message', (job: Job) => {
  // A failure that is not the picture's fault must end the thread loudly: rethrown outside of the promise.
  runtime
    .then((runtime) => codeOfFile(runtime, job))
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port of Node's, not a window
    .then((answer) => port.postMessage(answer))
    .catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
});
