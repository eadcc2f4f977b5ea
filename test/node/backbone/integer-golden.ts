/** What networks on integers answer for one repeatable picture: every host and either build must find these very bits. */
import { type Backbone, loadBackbone } from '../../../src/backbone/index.ts';
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

/** The same of EfficientNet-Lite0, by the pictures' side. */
export const LITE_CODE_HASHES: Readonly<Record<number, string>> = { 160: 'eb8fde99', 224: '29e71455' };

/** From the files of backbones/efficientnet-lite0. */
export function liteCodeHashesOf(
  plan: unknown,
  weights: Uint8Array,
  module: WebAssembly.Module,
): Record<number, string> {
  return liteCodeHashes(loadBackbone(plan, weights), module);
}

export function liteCodeHashes(backbone: Backbone, module: WebAssembly.Module): Record<number, string> {
  const engine = createSimdEngine(backbone, module, { bits: 8 });
  const hashOf = (side: number): string =>
    fnv1a(engine.codes(randomPixels(side, side * side * 3), { height: side, width: side }));
  return Object.fromEntries(Object.keys(LITE_CODE_HASHES).map((side) => [side, hashOf(Number(side))]));
}
