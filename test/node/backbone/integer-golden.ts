/** What a network on integers answers for one repeatable picture: every host and either build must find these very bits. */
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { fnv1a } from './golden.ts';
import { smallNetwork } from './integer-networks.ts';
import { randomPixels } from './random.ts';

/** FNV-1a over the code's bytes. */
export const INTEGER_CODE_HASH = 'acfb93e4';

const SIDE = 64;

export function integerCodeHash(module: WebAssembly.Module): string {
  const pixels = randomPixels(20_261_202, SIDE * SIDE * 3);
  return fnv1a(createSimdEngine(smallNetwork(5, pixels, SIDE), module, { bits: 8 }).codes(pixels));
}
