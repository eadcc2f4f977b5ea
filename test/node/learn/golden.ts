/**
 * Heads that every host must make byte for byte: trained on random codes with the WebAssembly linear algebra, in Node
 * and in workerd. Several, for exponentials and logarithms differ between hosts now and then, in a last bit. When the
 * mathematics is changed on purpose, put the new hash here.
 */
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { writeHead } from '../../../src/head/index.ts';
import { randomSet } from './random.ts';

export const GOLDEN_HASH = '1559e7a44150acadf507d73b4466be7307e575b6b301c444f3f11393f7418f39';

const SEEDS = [42, 43, 44, 45, 46, 47, 48, 49];

/** SHA-256 of the golden heads' files, one after the other, and how often training gave the event loop its turn. */
export async function goldenHeads(linalg: WebAssembly.Module): Promise<{ hash: string; pauses: number }> {
  let pauses = 0;
  const pause = (): Promise<void> => {
    pauses++;
    return new Promise((resolve) => setTimeout(resolve, 0));
  };
  const files: Uint8Array[] = [];
  for (const seed of SEEDS) {
    files.push(
      writeHead(await trainHead(randomSet(seed, [60, 40, 51, 45, 38, 62], 400, 0.1), { linalg, pause })),
    );
  }
  const digest = await crypto.subtle.digest(
    'SHA-256',
    await new Blob(files.map((file) => Uint8Array.from(file))).arrayBuffer(),
  );
  const hash = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { hash, pauses };
}
