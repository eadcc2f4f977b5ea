/** Pictures whose codes were made while their head was being moved, and which come to be stored after the switch. */
import type { NewExample } from './example.ts';
import { refuse, type Refused } from '../refused.ts';
import { sameOrigin, type CodeOrigin } from '../code-origin.ts';

/** Examples with what their codes, and their second codes where they have some, are of. */
export interface Embedded {
  readonly origin: CodeOrigin;
  readonly target?: CodeOrigin | undefined;
  readonly examples: readonly NewExample[];
}

/**
 * @param now what the head's examples are codes of. @param former what they were before, where the head was moved.
 * @returns the batch in the head's space, with its second codes where they are of that space; a batch that was not embedded
 *   before the move, as it came; a refusal where it was, and has no codes of the head's space.
 */
export function afterMove<T extends Embedded>(
  head: string,
  batch: T,
  now: CodeOrigin | undefined,
  former: CodeOrigin | undefined,
): T | Refused {
  const { origin, target, examples } = batch;
  if (now === undefined || sameOrigin(now, origin) || examples.some(({ source }) => source === 'code'))
    return batch;
  if (target !== undefined && sameOrigin(now, target)) {
    const moved = examples.flatMap(({ second, ...example }) =>
      second === undefined ? [] : [{ ...example, code: second }],
    );
    if (moved.length === examples.length)
      return { ...batch, origin: now, target: undefined, examples: moved };
  }
  return former !== undefined && sameOrigin(former, origin)
    ? refuse('conflict', `Head '${head}' was moved to other codes at this moment. Repeat the request.`)
    : batch;
}
