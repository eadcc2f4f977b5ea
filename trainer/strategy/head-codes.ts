/** The codes that a head reads of pictures whose backbone codes are known. */
import type { Head } from '../../src/head/head.ts';
import type { CodeRows } from '../../src/learn/code-rows.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { openReader } from '../codes/reader.ts';
import type { Reading } from '../reading.ts';
import type { Terminal } from '../cli/terminal.ts';
import { tapRows } from './linear/tap-rows.ts';

/** A tail has to read the pictures again; otherwise columns are selected. */
export async function codesFor(
  head: Head,
  set: Pick<LabelledCodes, 'pictures' | 'codes'>,
  reading: Reading,
  terminal: Terminal,
): Promise<CodeRows> {
  if (head.tail === undefined) return tapRows(set.codes, reading.backbone, head.taps);
  const reader = await openReader(reading, terminal, head);
  return (await reader.codes(set.pictures)).rows;
}
