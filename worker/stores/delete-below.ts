/** Deleting R2 objects by the beginning of their names, a page at a time. */
import { R2_DELETE_BATCH } from '../limits.ts';
import { fromR2 } from './reads.ts';

/**
 * Deletes objects whose names begin with a prefix.
 * @param pages how many of 1,000 objects at the most.
 * @returns whether all are gone.
 * @throws ApiError store_failed
 */
export async function deleteBelow(bucket: R2Bucket, prefix: string, pages: number): Promise<boolean> {
  for (let page = 0; page < pages; page++) {
    const { objects, truncated } = await fromR2(() => bucket.list({ prefix, limit: R2_DELETE_BATCH }));
    if (objects.length > 0) await fromR2(() => bucket.delete(objects.map(({ key }) => key)));
    if (!truncated) return true;
  }
  return false;
}
