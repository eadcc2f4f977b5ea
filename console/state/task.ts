/** Work that a press starts: whether it is under way, and why it failed. */
import { useState } from 'preact/hooks';

export interface Task {
  readonly busy: boolean;
  readonly error: unknown;
  /** Forgets what went wrong before. */
  readonly run: (work: () => Promise<unknown>) => Promise<void>;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    await work().catch(setError);
    setBusy(false);
  };
  return { busy, error, run };
}
