/** What a check before a deployment found. */

/** `made`: the deployment makes it. `unknown`: it could not be asked. `note`: to know, whatever it is. */
export type State = 'ok' | 'made' | 'note' | 'unknown' | 'wrong';

export interface Check {
  readonly name: string;
  readonly state: State;
  readonly what: string;
  /** What to do about it. */
  readonly fix?: string;
}

export const ok = (name: string, what: string): Check => ({ name, state: 'ok', what });
export const made = (name: string, what: string): Check => ({ name, state: 'made', what });
export const note = (name: string, what: string): Check => ({ name, state: 'note', what });
export const unknown = (name: string, what: string, fix?: string): Check => ({
  name,
  state: 'unknown',
  what,
  ...(fix === undefined ? {} : { fix }),
});
export const wrong = (name: string, what: string, fix: string): Check => ({
  name,
  state: 'wrong',
  what,
  fix,
});

const MARKS: Readonly<Record<State, string>> = { ok: '✓', made: '+', note: '·', unknown: '?', wrong: '✗' };

/** A line, and below it what to do. */
export function describeCheck({ name, state, what, fix }: Check): string {
  const line = `${MARKS[state]} ${name.padEnd(14)} ${what}`;
  return fix === undefined ? line : `${line}\n${' '.repeat(17)}→ ${fix}`;
}
