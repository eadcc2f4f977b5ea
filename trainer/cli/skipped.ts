/** Tells the user which files were not used, briefly in the terminal and in full in JSON. */
import type { Skipped, SkipReason } from '../datasets/dataset.ts';
import { printable, type Terminal } from './terminal.ts';

/** Lines of each kind in the terminal; JSON and report have them all. */
const MAX_LINES = 5;

const HEADINGS: Readonly<Record<SkipReason, string>> = {
  unusable: 'could not be used',
  duplicate: 'skipped as copies',
  conflict: 'skipped because their copies have another label',
  unlabelled: 'skipped without a label',
};

interface Account {
  readonly source: string;
  readonly skipped: readonly Skipped[];
  readonly notPictures: readonly string[];
}

export function reportSkipped(terminal: Terminal, { source, skipped, notPictures }: Account): void {
  for (const [reason, files] of Map.groupBy(skipped, (file) => file.reason)) {
    terminal.warn(`${files.length} of the pictures in ${printable(source)} ${HEADINGS[reason]}:`);
    for (const { name, detail } of files.slice(0, MAX_LINES))
      terminal.note(`  ${printable(`${name}: ${detail}`)}`);
    if (files.length > MAX_LINES) terminal.note(`  … and ${files.length - MAX_LINES} more`);
  }
  if (notPictures.length > 0) {
    const names = notPictures.slice(0, MAX_LINES).map(printable).join(', ');
    const more = notPictures.length > MAX_LINES ? ', …' : '';
    terminal.note(`${notPictures.length} files in ${printable(source)} are no pictures: ${names}${more}`);
  }
}

export function skippedJson({ skipped, notPictures }: Account): Record<string, unknown> {
  const count = (reason: SkipReason): number => skipped.filter((file) => file.reason === reason).length;
  return {
    total: skipped.length,
    unusable: count('unusable'),
    duplicates: count('duplicate'),
    conflicts: count('conflict'),
    unlabelled: count('unlabelled'),
    files: skipped.map(({ name, reason, detail }) => ({ picture: name, reason, detail })),
    not_pictures: notPictures,
  };
}
