/**
 * Reads of stores that may fail. KV repeats what the tenant's Durable Object knows, so that its failure is as good as a
 * miss. Objects are in R2 alone, so that its failure is told, and a head file is served only if its bytes hash to its name.
 */
import type { z } from 'zod';
import type { StoreBindings } from './bindings.ts';
import { KV_CACHE_TTL_S } from '../limits.ts';
import { ApiError } from '../http/problem.ts';

/** An entry of KV; `absent` where there is none of this form, `failed` where KV does not answer: then read the Durable Object. */
export async function readKv<S extends z.ZodType<object>>(
  { POINTERS }: Pick<StoreBindings, 'POINTERS'>,
  name: string,
  schema: S,
): Promise<z.output<S> | 'absent' | 'failed'> {
  try {
    const stored: unknown = await POINTERS.get(name, { type: 'json', cacheTtl: KV_CACHE_TTL_S });
    const entry = schema.safeParse(stored);
    return entry.success ? entry.data : 'absent';
  } catch (error) {
    console.warn(JSON.stringify({ message: 'KV does not answer', reason: String(error) }));
    return 'failed';
  }
}

/** What R2 answers. @throws ApiError store_failed where it does not */
export async function fromR2<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    console.warn(JSON.stringify({ message: 'R2 does not answer', reason: String(cause) }));
    throw new ApiError('store_failed', 'The object store does not answer. Try again in a moment.', {
      cause,
      headers: { 'retry-after': '1' },
    });
  }
}
