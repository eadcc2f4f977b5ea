/** Heads of a tenant's rows, without their files. */
import { expect } from 'vitest';
import type { Committed, Upload } from '../../worker/tenant/heads/uploads.ts';
import { description, NOW, type Opened } from './in-rows.ts';

/** What refuses with a code. */
export const refused = (code: string) => ({ refused: expect.objectContaining({ code }) as unknown });
/** A pointer with these alone, but for its revision: `toMatchObject` would let any names and versions pass for none. */
export const pointerWith = (its: object) => ({
  revision: expect.any(Number) as unknown,
  current: null,
  versions: {},
  names: {},
  canary: null,
  shadow: null,
  capture: false,
  ...its,
});
export const DESCRIPTION = description(['cat', 'dog']);
/** A version as it comes. */
export const upload = (sha256: string, changed: Partial<Upload> = {}): Upload => ({
  sha256,
  bytes: 10,
  description: DESCRIPTION,
  ...changed,
});

/** Reserves a version and commits it. @returns what the commit says. */
export function add(
  { uploads }: Opened,
  head: string,
  sha256: string,
  { heldBack, now = NOW, ...its }: Partial<Upload> & { heldBack?: string; now?: number } = {},
): Committed {
  const reserved = uploads.reserve(head, upload(sha256, its), now);
  if ('refused' in reserved) throw new Error(reserved.refused.detail);
  if (reserved.state === 'exists') return reserved;
  const committed = uploads.commit(head, reserved.version, now, heldBack);
  if ('refused' in committed) throw new Error(committed.refused.detail);
  return committed;
}

/** A head with so many versions, whose contents are 'a', 'b', 'c' … */
export function withVersions(rows: Opened, head: string, count: number): void {
  for (let i = 0; i < count; i++) add(rows, head, String.fromCharCode(97 + i));
}

/** Numbers of a head's versions that are listed. */
export const numbers = ({ heads }: Opened, head = 'pets'): number[] =>
  heads
    .versions(head)
    .map(({ version }) => version)
    .toReversed();

/** Objects that are to be deleted, and when. */
export const garbage = ({ query }: Opened): unknown[] =>
  query('SELECT object_name, due_at FROM garbage ORDER BY object_name').map((row) => Object.values(row));
