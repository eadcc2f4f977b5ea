/** The codes that a head reads of pictures whose backbone codes are known. */
import type { Backbone } from '../../src/backbone/index.ts';
import type { Head } from '../../src/head/head.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { CodesReader } from '../codes/reader.ts';
import type { Terminal } from '../terminal.ts';
import { tapsOf } from './context.ts';

/** @returns n × D of the head. A tail has to see the pictures again; else it is a choice of columns. */
export async function codesFor(
  head: Head,
  set: Pick<LabelledCodes, 'pictures' | 'codes'>,
  { backbone, terminal }: { backbone: Backbone; terminal: Terminal },
): Promise<Float16Array> {
  if (head.tail === undefined) return tapsOf(set.codes, backbone, head.taps);
  const reader = await CodesReader.open(backbone, terminal, head);
  const { codes } = await reader.codes(set.pictures);
  const joined = new Float16Array(set.pictures.length * head.codeLength);
  for (const [i, { sha256 }] of set.pictures.entries()) joined.set(codes.get(sha256)!, i * head.codeLength);
  return joined;
}
