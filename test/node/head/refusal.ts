import { HeadwaterError } from '../../../src/errors.ts';

/** The error that a head is refused with. */
export function refusal(act: () => unknown): HeadwaterError {
  try {
    act();
  } catch (error) {
    if (error instanceof HeadwaterError) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}
