/** How far a head is on its way to another code space, what stands in the way, and what the versions on both sides are worth. */
import type { JudgedVersion, Rebase } from '../../../src/api/index.ts';
import { refuse, type Refused } from '../refused.ts';
import { parse, versionSummary } from '../heads/describe.ts';
import { sameOrigin, type CodeOrigin } from '../code-origin.ts';
import type { TaughtState } from '../teach/examples.ts';
import type { Rows } from '../rows.ts';
import { canBeTrained } from '../teach/training.ts';

/** Of a head that was taught. @param origin the default code space. */
export function progressOf(rows: Rows, head: string, state: TaughtState, origin: CodeOrigin): Rebase {
  const { secondCodes, pictures } = rows;
  const total = state.classes.reduce((sum, each) => sum + each.examples, 0);
  const common = { head, to: idOf(origin), total };
  if (isThere(state.origin, origin)) {
    const former = secondCodes.former(head);
    return {
      ...common,
      state: 'done',
      done: total,
      missing_pictures: 0,
      from: former && idOf(former.origin),
      before: former && judged(rows, head, former.first, former.last),
      after: former && judged(rows, head, former.last + 1, state.revision),
    };
  }
  const target = secondCodes.targetIn(head, origin);
  const { done, faulty } = target === undefined ? { done: 0, faulty: 0 } : secondCodes.count(target);
  const missing = total - done - secondCodes.readable(head, target, pictures.isShown);
  const unreadable = target === undefined || faulty === 0 ? [] : secondCodes.faults(head, target);
  const obstacle = obstacleOf(rows, state, missing, total - done, unreadable);
  return {
    ...common,
    state: target === undefined ? 'not_begun' : 'under_way',
    from: idOf(state.origin),
    done,
    missing_pictures: missing,
    unreadable: unreadable.length === 0 ? undefined : unreadable,
    obstacle,
    before: judged(rows, head, 0, state.revision),
  };
}

/** Why it can't begin or go on, or undefined. @param left examples that a code is still wanted of. */
function obstacleOf(
  rows: Rows,
  state: TaughtState,
  missing: number,
  left: number,
  unreadable: NonNullable<Rebase['unreadable']>,
): string | undefined {
  if (state.origin.base !== undefined)
    return 'It is taught on top of an uploaded head, whose own examples are not here. Train it again with headwater train, which uses the default backbone, and upload it under another name.';
  if (missing > 0) {
    const named = unreadable.slice(0, 3).map(({ example, label }) => `${example} ('${label}')`);
    const which = named.length === 0 ? '' : ` Kept pictures that cannot be read: ${named.join(', ')}.`;
    return `${missing} of its examples have no picture that a new code can be made of.${which} Switch keep_images on (PUT /v1/settings) and teach these pictures again: those that are known count once. Or forget the examples, or teach a new head.`;
  }
  if (!canBeTrained(state)) return 'It has fewer than two classes. Teach pictures of a second one first.';
  return rows.secondCodes.overflow(left)?.refused.detail;
}

/** The newest version that was trained at one of these revisions. */
function judged({ heads }: Rows, head: string, first: number, last: number): JudgedVersion | undefined {
  const [newest] = heads
    .summarised(head)
    .filter(({ trained_revision: at }) => at !== null && at >= first && at <= last)
    .sort((a, b) => (b.trained_revision ?? 0) - (a.trained_revision ?? 0));
  if (newest === undefined) return undefined;
  const summary = versionSummary(newest, heads.live(head)?.current ?? 0);
  const { version, current, held_out_by, leave_one_out } = summary;
  return { version, current, held_out_by, leave_one_out };
}

/** Of a head without examples: one that was uploaded is where its maker put it. */
export function untaughtProgress(rows: Rows, head: string, origin: CodeOrigin): Rebase | Refused {
  const current = rows.heads.live(head)?.current;
  if (current === undefined) return gone(head);
  const { backbone } = parse(rows.heads.descriptions.find(head, current));
  const there = backbone.weightsSha256 === origin.weightsSha256;
  return {
    head,
    state: there ? 'done' : 'not_begun',
    to: idOf(origin),
    total: 0,
    done: 0,
    missing_pictures: 0,
    obstacle: there
      ? undefined
      : 'It was uploaded, and there are no examples of it here. Train it again with headwater train, which uses the default backbone, and upload it.',
  };
}

/** Whether examples need not be moved. An uploaded head's size and taps are its maker's choice. */
export function isThere(known: CodeOrigin, origin: CodeOrigin): boolean {
  return (
    sameOrigin(known, origin) || (known.base !== undefined && known.weightsSha256 === origin.weightsSha256)
  );
}

function idOf({ name, version, weightsSha256, codeLength, input }: CodeOrigin): Rebase['to'] {
  const id = { name, version, weights_sha256: weightsSha256, code_length: codeLength };
  return input === undefined ? id : { ...id, input };
}

export function gone(head: string): Refused {
  return refuse('head_not_found', `There is no head '${head}'.`);
}
