/**
 * Every state that a tenant may be in after requests that were on their way at the same time. Each has one or two steps, its
 * rows and the training that follows, and those of several come in any order. What was answered has done all its steps, as
 * it was answered; what was not may have stopped before any of them, but rows come and go together or not at all.
 */
import type { Change, Model, Outcome, Pending } from './model.ts';
import type { State } from './state.ts';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface Sent {
  readonly change: Change;
  /** Undefined where none came. */
  readonly answer: Answer | undefined;
}

/** Where a request is. */
type Progress = 'sent' | Pending | 'done';

interface Moment {
  readonly state: State;
  /** Of each request. */
  readonly progress: readonly Progress[];
}

export async function statesAfter(
  model: Model,
  states: readonly State[],
  sent: readonly Sent[],
): Promise<State[]> {
  const found = new Map<string, Moment>();
  const ahead: Moment[] = states.map((state) => ({ state, progress: sent.map(() => 'sent') }));
  for (let moment = ahead.pop(); moment !== undefined; moment = ahead.pop()) {
    const name = JSON.stringify(moment);
    if (found.has(name)) continue;
    found.set(name, moment);
    for (const i of sent.keys()) ahead.push(...(await nextMoments(model, moment, sent, i)));
  }
  const ends = [...found.values()].filter(({ progress }) =>
    sent.every(({ answer }, i) => answer === undefined || progress[i] === 'done'),
  );
  const distinct = new Map(ends.map(({ state }) => [JSON.stringify(state), state]));
  // What is to be forgotten is forgotten by the alarm, if by nobody else.
  return [...distinct.values()].filter(({ heads }) =>
    Object.values(heads).every(({ taught }) => taught?.forgotten == null),
  );
}

/** What one more step of a request leads to: nothing where it has none left, or where it would contradict its answer. */
async function nextMoments(
  model: Model,
  { state: before, progress }: Moment,
  sent: readonly Sent[],
  i: number,
): Promise<Moment[]> {
  const { change, answer } = sent[i];
  const now = progress[i];
  if (now === 'done') return [];
  const state = structuredClone(before);
  const outcome = now === 'sent' ? model.apply(state, change) : await model.train(state, now);
  const next = { state, progress: progress.with(i, outcome.pending ?? 'done') };
  const moments = answer === undefined || agrees(outcome, answer) ? [next] : [];
  if (now === 'sent' && isDisturbed(sent[i], sent))
    moments.push({ state: before, progress: progress.with(i, 'done') });
  return moments;
}

function agrees({ status, fields = {}, pending }: Outcome, answer: Answer): boolean {
  // A head that is deleted before it is trained answers 404.
  if (pending !== undefined && answer.status === 404) return true;
  if (status !== answer.status) return false;
  const body: object = typeof answer.body === 'object' && answer.body !== null ? answer.body : {};
  return Object.entries(fields).every(([name, value]) => Reflect.get(body, name) === value);
}

/** One that was told to come again, because another one changed under it what its codes are of, or where it was going. */
function isDisturbed({ change, answer }: Sent, all: readonly Sent[]): boolean {
  if (answer?.status !== 409 || (change.kind !== 'upload' && change.kind !== 'teach')) return false;
  return all.some(
    ({ change: other }) =>
      (other.kind === 'upload' || other.kind === 'delete head') &&
      other !== change &&
      other.head === change.head,
  );
}
