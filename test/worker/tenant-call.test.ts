/** Calls of a tenant's object: which are made once more, and how refusals arrive. */
import { describe, expect, it } from 'vitest';
import type { Env } from '../../worker/env.ts';
import { callTenant } from '../../worker/tenant/call.ts';
import { type TenantStub } from '../../worker/tenant/stub.ts';
import { refuse } from '../../worker/tenant/refused.ts';

/** An object whose first answers are errors with these marks. */
async function call(...marks: readonly object[]): Promise<{ answer: unknown; stubs: number }> {
  let stubs = 0;
  const get = () => ({ number: ++stubs });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
  const env = { TENANTS: { idFromName: (name: string) => name, get } } as unknown as Env;
  const answer = await callTenant(env, 't', async (stub: TenantStub) => {
    if (stubs <= marks.length) throw Object.assign(new Error('lost'), marks[stubs - 1]);
    return stub;
  }).catch((error: unknown) => error);
  return { answer, stubs };
}

/** A call that is answered so. */
function answering(answer: unknown): Promise<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as much of it as is used
  const env = { TENANTS: { idFromName: String, get: () => ({}) } } as unknown as Env;
  return callTenant(env, 't', async () => answer);
}

describe('a call of a tenant', () => {
  it('is made once more with another stub, where that may help', async () => {
    expect(await call()).toEqual({ answer: { number: 1 }, stubs: 1 });
    expect(await call({ retryable: true })).toEqual({ answer: { number: 2 }, stubs: 2 });
    for (const marks of [[{}], [{ retryable: false }], [{ retryable: true }, { retryable: true }]]) {
      const { answer, stubs } = await call(...marks);
      expect(answer).toMatchObject({ message: 'lost' });
      expect(stubs).toBe(marks.length);
    }
  });

  it('is not where the object is overloaded', async () => {
    const { answer, stubs } = await call({ overloaded: true, retryable: true });
    expect(answer).toMatchObject({ code: 'overloaded', headers: { 'retry-after': '1' } });
    expect(stubs).toBe(1);
  });

  it('throws what it refused with, and gives all else as it is', async () => {
    for (const answer of [null, undefined, 0, 'text', {}, { answer: 1 }])
      expect(await answering(answer)).toBe(answer);
    await expect(answering(refuse('conflict', 'why'))).rejects.toMatchObject({
      code: 'conflict',
      message: 'why',
    });
    const conflicts = [{ picture: 'p', label: 'cat', known_label: 'dog' }];
    await expect(answering(refuse('label_conflict', 'why', conflicts))).rejects.toMatchObject({ conflicts });
    expect(refuse('conflict', 'why').refused.conflicts).toBeUndefined();
  });
});
