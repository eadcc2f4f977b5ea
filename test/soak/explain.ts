/**
 * Every state that a tenant may be in after requests that were sent at the same time: some order of them, those that were
 * answered as they were answered, those that were not in full or not at all. A request that teaches may be stored and not
 * yet trained with, if nobody was told that it was; examples themselves come and go together or not at all.
 */
import { trains, type Change, type Extent, type Model, type Outcome } from './model.ts';
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

type Chosen = Sent & { readonly extent: Extent | 'none' };

export async function statesAfter(
  model: Model,
  states: readonly State[],
  sent: readonly Sent[],
): Promise<State[]> {
  const found = new Map<string, State>();
  for (const before of states)
    for (const order of ordersOf(sent))
      for (const chosen of choices(order)) {
        const state = structuredClone(before);
        if (!(await play(model, state, chosen))) continue;
        // What is to be forgotten is forgotten by the alarm, if by nobody else.
        if (Object.values(state.heads).some(({ taught }) => taught?.forgotten != null)) continue;
        found.set(JSON.stringify(state), state);
      }
  return [...found.values()];
}

/** @returns whether the answers are those that the model gives. */
async function play(model: Model, state: State, chosen: readonly Chosen[]): Promise<boolean> {
  for (const [i, { change, answer, extent }] of chosen.entries()) {
    if (extent === 'none') continue;
    const outcome = await model.apply(state, change, extent);
    if (answer === undefined) continue;
    const isOvertaken = extent === 'stored' && answer.status === 404 && isFollowedBy(chosen, i, isDeletion);
    if (!isOvertaken && !agrees(outcome, answer)) return false;
  }
  return true;
}

function agrees({ status, fields = {} }: Outcome, answer: Answer): boolean {
  if (status !== answer.status) return false;
  const body: object = typeof answer.body === 'object' && answer.body !== null ? answer.body : {};
  return Object.entries(fields).every(([name, value]) => Reflect.get(body, name) === value);
}

/** How far each request may have come. */
function choices(order: readonly Sent[]): Chosen[][] {
  let all: Chosen[][] = [[]];
  for (const each of order)
    all = all.flatMap((chosen) => extentsOf(each, order).map((extent) => [...chosen, { ...each, extent }]));
  return all.filter((chosen) => chosen.every((_, i) => isPossible(chosen, i)));
}

function extentsOf(each: Sent, all: readonly Sent[]): Chosen['extent'][] {
  const extents: Chosen['extent'][] = trains(each.change) ? ['done', 'stored'] : ['done'];
  return each.answer === undefined || isDisturbed(each, all) ? [...extents, 'none'] : extents;
}

function isPossible(chosen: readonly Chosen[], i: number): boolean {
  const { answer, extent } = chosen[i];
  if (answer === undefined || extent !== 'stored') return true;
  // Another request's training, or deletion, did for both.
  return (
    isFollowedBy(chosen, i, ({ change, extent: its }) => its === 'done' && trains(change)) ||
    isFollowedBy(chosen, i, isDeletion)
  );
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

const isDeletion = ({ change, extent }: Chosen): boolean =>
  change.kind === 'delete head' && extent === 'done';

function isFollowedBy(chosen: readonly Chosen[], i: number, test: (other: Chosen) => boolean): boolean {
  const { change } = chosen[i];
  return chosen
    .slice(i + 1)
    .some(
      (other) =>
        'head' in change && 'head' in other.change && other.change.head === change.head && test(other),
    );
}

function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item, i) => ordersOf(items.toSpliced(i, 1)).map((rest) => [item, ...rest]));
}
