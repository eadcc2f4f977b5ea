/** One tenant of the real service beside the states that the model thinks it may be in. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Mortal } from '../node/local/teaching.ts';
import { callOf, type Call, type Source } from './calls.ts';
import { statesAfter, type Answer, type Sent } from './explain.ts';
import { mismatch } from './match.ts';
import type { Model } from './model.ts';
import { observe, type SendRequest, type Observed } from './observe.ts';
import type { Operation } from './operations.ts';
import { emptyState, isThere, type Key, type State } from './state.ts';

/** How long the alarm may take to finish what a kill broke off. */
const MOST_WAIT_MS = 90_000;

/** A call with what came of it. */
export interface Tried extends Sent {
  readonly call: Call;
}

export const firstKey = (): Key => ({
  name: 'first key',
  scopes: ['read', 'write', 'admin'],
  revoked: false,
});

export class TenantUnderTest {
  readonly id: string;
  /** With all scopes; all requests are sent with it. */
  readonly key: string;
  /** Keys whose answers came, by their ids. */
  readonly secrets = new Map<string, string>();
  possible: State[];
  observed: Observed | undefined;
  #last: Call | undefined;

  constructor(id: string, key: string, state: State = emptyState(firstKey())) {
    this.id = id;
    this.key = key;
    this.possible = [state];
  }

  get state(): State {
    return this.possible[0];
  }

  /** The calls of operations that make sense now, to be sent at the same time. */
  async plan(operations: readonly Operation[], source: Omit<Source, 'last'>): Promise<Call[]> {
    const calls: Call[] = [];
    for (const operation of operations) {
      const call = await callOf(operation, this.state, { ...source, last: this.#last });
      if (call === undefined || !this.#isModelled(call, calls)) continue;
      calls.push(call);
    }
    for (const call of calls)
      if (call.change.kind === 'teach' && call.change.key !== undefined) this.#last = call;
    return calls;
  }

  async send(mortal: Mortal, { method, path, body, headers }: Call): Promise<Answer | undefined> {
    const init = {
      method,
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    };
    try {
      const response = await mortal.call(this.key, path, init);
      const text = await response.text();
      const { status } = response;
      const answer = { status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
      this.#keep(answer);
      return answer;
    } catch {
      return undefined;
    }
  }

  /**
   * Narrows the possible states to those that explain the requests, their answers and what can be read now.
   * @param killed whether the alarm may still have to finish something.
   * @throws Error where no state does.
   */
  async explain(model: Model, mortal: Mortal, tried: readonly Tried[], killed: boolean): Promise<void> {
    const states = await statesAfter(model, this.possible, tried);
    const deadline = performance.now() + (killed ? MOST_WAIT_MS : 0);
    for (;;) {
      const faults = await this.#narrow(mortal, states);
      if (faults === undefined) return;
      if (performance.now() > deadline) throw new Error(this.#unexplained(tried, faults));
      await wait(250);
    }
  }

  /** @returns why none of the states is what can be read, or undefined where one is. */
  async #narrow(mortal: Mortal, states: readonly State[]): Promise<(string | undefined)[] | undefined> {
    let observed: Observed;
    try {
      observed = await observe(this.sender(mortal), (head) => versionNumbers(states, head));
    } catch (error) {
      // The alarm may have changed something between two reads.
      return [String(error)];
    }
    const copies = structuredClone(states);
    const faults = copies.map((state) => mismatch(state, observed));
    const fitting = copies.filter((_, i) => faults[i] === undefined);
    if (fitting.length === 0) return faults;
    this.possible = fitting;
    this.observed = observed;
    return undefined;
  }

  sender(mortal: Mortal): SendRequest {
    return (path, init) => mortal.call(this.key, path, init);
  }

  /** Whether the model tells what comes of a call beside others. */
  #isModelled({ change }: Call, others: readonly Call[]): boolean {
    if (!('head' in change)) return true;
    const head = this.state.heads[change.head];
    const meets = (kind: string): boolean =>
      others.some(
        ({ change: other }) => other.kind === kind && 'head' in other && other.head === change.head,
      );
    if (head.taught !== undefined) return true;
    // Teaching on top of an uploaded head takes that head's codes.
    if (change.kind === 'teach') return !isThere(head) && !meets('upload');
    return change.kind !== 'upload' || !meets('teach');
  }

  #keep({ status, body }: Answer): void {
    if (status !== 201 || typeof body !== 'object' || body === null || !('key' in body) || !('id' in body))
      return;
    this.secrets.set(String(body.id), String(body.key));
  }

  #unexplained(tried: readonly Tried[], faults: readonly (string | undefined)[]): string {
    const requests = tried.map(
      ({ call: { method, path, change }, answer }) =>
        `  ${method} ${path} ${JSON.stringify(change).slice(0, 400)}\n    answered ${answer === undefined ? 'nothing' : `${answer.status} ${JSON.stringify(answer.body)?.slice(0, 600)}`}`,
    );
    return [
      `tenant ${this.id}: no state explains what is there after`,
      ...requests,
      ...(faults.length === 0 ? ['  no order of them explains the answers'] : new Set(faults)),
    ].join('\n');
  }
}

function versionNumbers(states: readonly State[], head: string): number[] {
  const numbers = states.flatMap(({ heads }) => Object.keys(heads[head].versions).map(Number));
  const most = Math.max(0, ...numbers);
  // A number may have been skipped by what a kill broke off.
  return [...new Set([...numbers, most + 1, most + 2])].sort((a, b) => a - b);
}
