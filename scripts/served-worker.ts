/** The Worker on local workerd for a program that serves until it is told to end. */
import { startLocalWorker, type LocalWorker, type LocalWorkerOptions } from './local-worker.ts';
import { exitCodeOf, onSignal, SIGNALS } from './signals.mjs';

/**
 * Starts the Worker. A signal closes it and ends this process, with exit code 0 once the port is free; a second signal ends it
 * at once.
 * @throws Error with a sentence for the user when the port is taken or workerd does not come up.
 */
export async function startServedWorker(options: LocalWorkerOptions): Promise<LocalWorker> {
  const ours = new Set(SIGNALS.flatMap((signal) => process.listeners(signal)));
  const worker = await startLocalWorker(options);
  // Miniflare's own listeners would end this process while workerd still runs and holds the port.
  for (const signal of SIGNALS)
    for (const listener of process.listeners(signal))
      if (!ours.has(listener)) process.removeListener(signal, listener);
  let isClosing = false;
  onSignal((signal) => {
    if (isClosing) process.exit(exitCodeOf(signal));
    isClosing = true;
    void worker.close().finally(() => process.exit(0));
  });
  return worker;
}
