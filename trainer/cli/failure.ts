/** Failures of the command line that are not the classifier's own (those are HeadwaterErrors), and what each ends with. */
import { ApiError } from '../../sdk/client.ts';
import { HeadwaterError } from '../../src/errors.ts';
import { ModelError } from '../import/model-error.ts';
import { RESUMABLE } from './interrupt.ts';

export const EXIT = { done: 0, failed: 1, calledWrongly: 2, interrupted: 130 } as const;

/** The command line itself makes no sense: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Ctrl-C ended a long piece of work that has saved how far it was: exit code 130. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor() {
    super(`Interrupted. ${RESUMABLE}`);
  }
}

/** Something outside could not be read or written: exit code 1. */
export class FileError extends Error {
  override readonly name = 'FileError';
  /** Why, in words: 'it does not exist'. */
  readonly reason: string;

  /** @param what the attempt that failed, for example `Could not read the head t.safetensors`. */
  constructor(what: string, cause: unknown) {
    const reason = systemReason(cause);
    super(`${what}: ${reason}.`, { cause });
    this.reason = reason;
  }
}

export interface Explanation {
  readonly code: string;
  readonly message: string;
  readonly exitCode: number;
}

const KINDS = [
  [UsageError, 'usage', EXIT.calledWrongly],
  [InterruptedError, 'interrupted', EXIT.interrupted],
  [FileError, 'file', EXIT.failed],
] as const;

/** @returns what to tell the user about a failure. An unforeseen one keeps its stack, which a report of it needs. */
export function explain(error: unknown): Explanation {
  const exitCode = EXIT.failed;
  if (error instanceof HeadwaterError || error instanceof ApiError || error instanceof ModelError)
    return { code: error.code, message: error.message, exitCode };
  for (const [kind, code, exitCode] of KINDS)
    if (error instanceof kind) return { code, message: error.message, exitCode };
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'unexpected', message: `Unexpected failure, please report it. ${what}`, exitCode };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a folder',
  ENOTDIR: 'it is not a folder',
  ENOSPC: 'no space is left on the disk',
  EROFS: 'the file system is read-only',
  ELOOP: 'its symbolic links go in a circle',
  EMFILE: 'too many files are open',
};

/** @returns why the system refused, in words: 'it does not exist'. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return REASONS[code] ?? error.message;
}
