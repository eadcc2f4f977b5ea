/** Whether a head was made for a backbone. Codes of other weights or taps mean nothing to it. */
import { codeLength, type Plan } from '../backbone/plan.ts';
import { HeadwaterError } from '../errors.ts';
import type { Head } from './head.ts';

/**
 * @param plan the plan of the backbone whose codes the head is to read.
 * @throws HeadwaterError `backbone_mismatch`
 */
export function assertCompatible(head: Pick<Head, 'backbone' | 'taps' | 'codeLength'>, plan: Plan): void {
  const { backbone, taps } = head;
  const theirs = `${backbone.name} ${backbone.version} (${backbone.weightsSha256.slice(0, 12)}…)`;
  const ours = `${plan.name} ${plan.version} (${plan.weightsSha256.slice(0, 12)}…)`;
  if (backbone.weightsSha256 !== plan.weightsSha256) {
    throw mismatch(`The head was trained on the backbone ${theirs}, but this is ${ours}`);
  }
  const names = plan.taps.map((tap) => tap.name);
  if (taps.join('\n') !== names.join('\n') || head.codeLength !== codeLength(plan)) {
    throw mismatch(
      `The head reads codes of ${head.codeLength} numbers from the taps ${taps.join(', ')}, but the backbone gives ` +
        `${codeLength(plan)} from ${names.join(', ')}`,
    );
  }
}

function mismatch(what: string): HeadwaterError {
  return new HeadwaterError('backbone_mismatch', `${what}; train the head again on this backbone.`);
}
