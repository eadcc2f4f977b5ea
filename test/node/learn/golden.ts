/**
 * A head that every host must make byte for byte: trained on random codes with the WebAssembly linear algebra, in Node
 * and in workerd. When the mathematics is changed on purpose, put the new hash here.
 */
import { trainHead } from '../../../src/learn/train.ts';
import { writeHead } from '../../../src/head/index.ts';
import { randomSet } from './random.ts';

export const GOLDEN_HEAD_HASH = 'cf322fc1660377008bf01e4427785f90f6e847874ee92a5de449ef713cacdc0d';

/** SHA-256 of the golden head's file, and how often training gave the event loop its turn. */
export async function goldenHead(linalg: WebAssembly.Module): Promise<{ hash: string; pauses: number }> {
  let pauses = 0;
  const pause = (): Promise<void> => {
    pauses++;
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
  const file = writeHead(await trainHead(randomSet(42, [50, 30, 41], 333), { linalg, pause }));
  const digest = await crypto.subtle.digest('SHA-256', Uint8Array.from(file));
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { hash, pauses };
}
