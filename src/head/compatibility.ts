/** Whether a head was made for a backbone. Codes of other weights or taps mean nothing to it. */
import { allowsSize, sizesInWords } from '../backbone/at-size.ts';
import type { Plan, Statistic, Tap } from '../backbone/plan.ts';
import { HeadwaterError } from '../errors.ts';
import type { Head } from './head.ts';
import { readableTaps } from './read-code.ts';

/**
 * @param plan the plan of the backbone whose codes the head is to read, in its own size.
 * @throws HeadwaterError `backbone_mismatch`
 */
export function assertCompatible(
  head: Pick<Head, 'backbone' | 'taps' | 'statistics' | 'input' | 'codeLength' | 'tail'>,
  plan: Plan,
): void {
  const { backbone, taps, input } = head;
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
  const other = read.findIndex((tap, i) => statisticOf(tap) !== (head.statistics?.[i] ?? 'mean'));
  if (other >= 0) {
    const { name } = read[other];
    throw mismatch(
      `The head reads the ${head.statistics?.[other] ?? 'mean'} of the tap ${name}, but the backbone has its ${statisticOf(read[other])}`,
    );
  }
  if (input !== undefined && !allowsSize(plan, input)) {
    throw mismatch(
      `The head reads pictures of ${input.height}×${input.width} pixels, but the backbone ${ours} is run at ${sizesInWords(plan)}`,
    );
  }
}

function statisticOf({ statistic = 'mean' }: Tap): Statistic {
  return statistic;
}

function mismatch(what: string): HeadwaterError {
  return new HeadwaterError('backbone_mismatch', `${what}; train the head again on this backbone.`);
}
