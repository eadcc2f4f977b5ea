/** Whether a head was made for a backbone. Codes of other weights or taps mean nothing to it. */
import type { Plan } from '../backbone/plan.ts';
import { HeadwaterError } from '../errors.ts';
import type { Head } from './head.ts';
import { readableTaps } from './read-code.ts';

/**
 * @param plan the plan of the backbone whose codes the head is to read.
 * @throws HeadwaterError `backbone_mismatch`
 */
export function assertCompatible(
  head: Pick<Head, 'backbone' | 'taps' | 'codeLength' | 'tail'>,
  plan: Plan,
): void {
  const { backbone, taps } = head;
  const theirs = `${backbone.name} ${backbone.version} (${backbone.weightsSha256.slice(0, 12)}…)`;
  const ours = `${plan.name} ${plan.version} (${plan.weightsSha256.slice(0, 12)}…)`;
  if (backbone.weightsSha256 !== plan.weightsSha256) {
    throw mismatch(`The head was trained on the backbone ${theirs}, but this is ${ours}`);
  }
  const readable = readableTaps(plan, head.tail);
  const read = readable.filter((tap) => taps.includes(tap.name));
  const length = read.reduce((sum, tap) => sum + tap.channels, 0);
  if (taps.join('\n') !== read.map((tap) => tap.name).join('\n') || head.codeLength !== length) {
    throw mismatch(
      `The head reads codes of ${head.codeLength} numbers from the taps ${taps.join(', ')}, but the backbone's taps are ` +
        readable.map((tap) => `${tap.name} (${tap.channels})`).join(', '),
    );
  }
}

function mismatch(what: string): HeadwaterError {
  return new HeadwaterError('backbone_mismatch', `${what}; train the head again on this backbone.`);
}
