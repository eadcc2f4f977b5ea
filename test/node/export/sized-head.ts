/** A head that reads means and deviations, several of one step, of pictures at another size than the backbone's own. */
import { backboneAt, type Backbone } from '../../../src/backbone/index.ts';
import { score, type Head } from '../../../src/head/index.ts';
import { importedHead } from '../../../src/learn/imported.ts';
import { randomPixels } from '../backbone/random.ts';
import { referenceCode } from '../backbone/reference.ts';
import { smallNetwork } from '../backbone/small-network.ts';

export const SIDE = 64;
const SIZE = { height: SIDE, width: SIDE };

export interface SizedHead {
  readonly backbone: Backbone;
  readonly head: Head;
  /** Of one picture. */
  readonly pixels: Uint8Array;
  readonly code: Float32Array;
  readonly probabilities: Float32Array;
}

export function sizedHead(): SizedHead {
  const backbone = smallNetwork(4);
  const pixels = randomPixels(9, SIDE * SIDE * 3);
  const code = Float32Array.from(referenceCode(backboneAt(backbone, SIZE), pixels));
  const head: Head = { ...unsureHead(backbone, code), input: { ...SIZE, rules: 2 } };
  return { backbone, head, pixels, code, probabilities: score(head, code).probabilities };
}

/** A head of all taps and two classes, either of which a picture of this code may be. */
export function unsureHead({ plan }: Backbone, code: Float32Array): Head {
  const { name, version, weightsSha256, taps } = plan;
  const { length } = code;
  const plain = importedHead({
    backbone: { name, version, weightsSha256 },
    taps: taps.map((tap) => tap.name),
    labels: ['a', 'b'],
    weights: Float32Array.from({ length: 2 * length }, (_, i) => Math.sin(i) / 10),
    bias: [0, 0.1],
    prior: { mean: code.map((x, d) => x + Math.sin(7 * d)), deviation: new Float32Array(length).fill(1) },
    hidden: 0,
  });
  return { ...plain, statistics: taps.map((tap) => tap.statistic ?? 'mean') };
}
