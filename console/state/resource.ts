/** Something that is fetched when a component appears or what it depends on changes. */
import { ApiError } from '../../sdk/client.ts';
import { useCallback, useEffect, useState } from 'preact/hooks';

interface Resource<T> {
  /** Stays what it was while it is fetched again. */
  readonly data: T | undefined;
  readonly error: unknown;
  readonly reload: () => void;
}

/** @param load is given a signal that is aborted when its answer is no longer wanted. */
export function useResource<T>(
  load: (signal: AbortSignal) => Promise<T>,
  dependencies: readonly unknown[],
): Resource<T> {
  const [state, setState] = useState<{ data?: T; error?: unknown }>({});
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const controller = new AbortController();
    load(controller.signal).then(
      (data) => controller.signal.aborted || setState({ data }),
      (error: unknown) => controller.signal.aborted || setState((old) => ({ ...old, error })),
    );
    return () => controller.abort();
  }, [...dependencies, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { data: state.data, error: state.error, reload };
}

/** null in the place of an answer that there is no such thing. @param code of the ApiError that says so. */
export async function orNull<T>(answer: Promise<T>, code: string): Promise<T | null> {
  return answer.catch((error: unknown) => {
    if (error instanceof ApiError && error.code === code) return null;
    throw error;
  });
}
