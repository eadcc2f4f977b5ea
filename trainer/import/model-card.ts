/** MODEL_CARD.md of an imported backbone. */
import { codeLength, type Plan } from '../../src/backbone/index.ts';

/** For the model card. */
export interface Description {
  /** For example 'MobileNet of the Teachable Machine model "Recyclables"'. */
  readonly title: string;
  /** Where it comes from, in Markdown. */
  readonly source: string;
  /** What was compared with what, in Markdown; filled in once it has been. */
  readonly parity?: string;
}

export function modelCard(plan: Plan, weights: Uint8Array, description: Description): string {
  const { height, width, padValue } = plan.input;
  const taps = plan.taps.map((tap) => `| ${tap.name} | output of \`${tap.step}\` | ${tap.channels} |`);
  return `# ${plan.name}, version ${plan.version}

Imported: ${description.title}. It turns a picture into a CNN code of ${codeLength(plan)} numbers.

| | |
|---|---|
| source | ${description.source} |
| licence | that of the source; ask its authors |
| steps | ${plan.steps.length} |
| weights | \`weights.safetensors\`, ${weights.length} bytes, SHA-256 \`${plan.weightsSha256}\`, single precision |

## Input
${height}×${width} RGB bytes, rows from the top, channels last. Normalisation is folded into the first convolution; its padding holds
${padValue.map((value) => value.toFixed(4)).join(', ')}, which normalises to zero.

## Taps
The code is these feature maps averaged over space, joined in this order.

| tap | place | channels |
|---|---|---|
${taps.join('\n')}

## Parity
${description.parity ?? 'Not measured.'}
`;
}
