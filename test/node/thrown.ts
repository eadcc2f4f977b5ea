/** The HeadwaterError that a call throws, for tests to look at. */
import { HeadwaterError } from '../../src/errors.ts';

/** @throws what the call throws, when that is another error; Error when it throws nothing. */
export function thrownBy(call: () => unknown): HeadwaterError {
  try {
    call();
  } catch (error) {
    if (error instanceof HeadwaterError) return error;
    throw error;
  }
  throw new Error('Nothing was thrown.');
}
