/** What a tenant's Durable Object answers in place of a result. Errors lose their class on the way through RPC, so that a refusal is a value. */
import type { Conflict } from '../../src/api/index.ts';
import type { ProblemCode } from '../http/problem.ts';

export interface Refused {
  readonly refused: {
    readonly code: ProblemCode;
    readonly detail: string;
    readonly conflicts?: readonly Conflict[] | undefined;
  };
}

export const refuse = (code: ProblemCode, detail: string, conflicts?: readonly Conflict[]): Refused => ({
  refused: { code, detail, conflicts },
});
