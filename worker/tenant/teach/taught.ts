/** What a teach request is answered: the version that came out, how good it is, and what changed. */
import type { Changes, ClassSummary, Taught } from '../../../src/api/index.ts';
import { writeSummary } from '../../../src/head/metrics.ts';
import { heldOutFolds, heldOutText } from '../../../src/head/index.ts';
import { classSummaries, parse } from '../heads/describe.ts';
import type { TaughtState } from './examples.ts';
import { accuracyOver, sharedClasses } from '../heads/guard.ts';
import type { HeadRows, VersionRow } from '../heads/head-rows.ts';
import { canBeTrained } from './training.ts';

export type Counts = Pick<Taught, 'added' | 'duplicates' | 'forgotten'>;

/** @param train false where the caller wanted nothing trained: then no version is named. */
export function taughtAnswer(
  heads: HeadRows,
  head: string,
  state: TaughtState,
  counts: Counts,
  train: boolean,
): Taught {
  const examples = state.classes.reduce((sum, each) => sum + each.examples, 0);
  const stored = { head, ...counts, examples };
  if (!canBeTrained(state)) return { ...stored, classes: [...state.classes], missing: missing(state) };
  const version = train ? heads.newestTrained(head) : undefined;
  if (version === undefined) return { ...stored, classes: [...state.classes] };
  const before = heads.versions(head).find((row) => row.version < version.version);
  const description = heads.descriptions.find(head, version.version);
  const described = parse(description);
  const { method, leaveOneOut } = described.training;
  return {
    head,
    version: version.version,
    current: heads.live(head)?.current === version.version,
    ...counts,
    examples,
    classes: classSummaries(described),
    held_out_by: heldOutText(heldOutFolds(method)),
    leave_one_out: leaveOneOut === null ? null : writeSummary(leaveOneOut),
    changes: before && changesBetween(before, heads.descriptions.find(head, before.version), description),
    held_back: version.held_back ?? undefined,
  };
}

function missing({ classes, origin: { base } }: TaughtState): string {
  if (base !== undefined) return `There is no example; version ${base.version}, which was uploaded, answers.`;
  const [only] = classes;
  return only === undefined
    ? 'There is no example. Teach pictures of at least two classes.'
    : `There is one class, '${only.label}'. Teach pictures of a second one, and the head can tell them apart.`;
}

/** @param old what the version before says of itself. @param now what the new one does. */
function changesBetween(before: VersionRow, old: string, now: string): Changes {
  const [was, is] = [parse(old), parse(now)];
  const shared = sharedClasses(old, now);
  const classes = classChanges(classSummaries(was), classSummaries(is));
  // What was uploaded was judged on other pictures: its metrics and these have no difference that means anything.
  if (before.trained_revision === null)
    return { from_version: before.version, classes: classes.map(({ recall: _recall, ...change }) => change) };
  const accuracy = difference(is.training.leaveOneOut?.accuracy, was.training.leaveOneOut?.accuracy);
  const oldClasses = difference(accuracyOver(now, shared), accuracyOver(old, shared));
  return {
    from_version: before.version,
    accuracy,
    old_classes_accuracy: oldClasses,
    classes,
  };
}

function classChanges(was: ClassSummary[], is: ClassSummary[]): Changes['classes'] {
  const before = new Map(was.map((each) => [each.label, each]));
  const after = new Map(is.map((each) => [each.label, each]));
  const changes: Changes['classes'] = [];
  for (const label of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(label), after.get(label)];
    const examples = (now?.examples ?? 0) - (old?.examples ?? 0);
    const recall = difference(now?.recall, old?.recall);
    const change = old === undefined ? 'added' : now === undefined ? 'removed' : 'kept';
    if (change === 'kept' && examples === 0 && (recall ?? 0) === 0) continue;
    changes.push({ label, change, examples, recall });
  }
  return changes;
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}
