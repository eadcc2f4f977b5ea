/** Finds copies by the SHA-256 of the files: one of each is used, and none where the copies' labels disagree. */
import type { LabelledPicture, Skipped } from './dataset.ts';

type Hashed = LabelledPicture & { readonly sha256: string };

/**
 * The result does not depend on which copy is which: of copies under one label the first by name stays; copies under
 * several labels all go, since keeping any would teach a label that someone else denied.
 */
export function dropCopies<P extends Hashed>(pictures: readonly P[]): { kept: P[]; skipped: Skipped[] } {
  const groups = Map.groupBy(pictures, (picture) => picture.sha256);
  const kept: P[] = [];
  const skipped: Skipped[] = [];
  for (const copies of groups.values()) {
    const first = copies[0];
    const other = copies.find((copy) => copy.label !== first.label);
    if (other === undefined) {
      kept.push(first);
      skipped.push(...copies.slice(1).map((copy) => duplicate(copy, first)));
    } else {
      skipped.push(...copies.map((copy) => conflict(copy, copy.label === first.label ? other : first)));
    }
  }
  return { kept, skipped };
}

function duplicate(copy: Hashed, first: Hashed): Skipped {
  return { name: copy.name, reason: 'duplicate', detail: `The same picture as ${first.name}.` };
}

function conflict(copy: Hashed, other: Hashed): Skipped {
  const detail = `Labelled '${copy.label}', but the same picture is '${other.label}' in ${other.name}; neither is used.`;
  return { name: copy.name, reason: 'conflict', detail };
}
