/** Linear heads on a network's codes. */
import { type Head, score } from '../src/head/index.ts';
import { trainHead } from '../src/learn/ridge/train.ts';
import type { Network } from './networks.ts';
import { LEARNING } from '../trainer/learning.ts';

export interface LabelledCode {
  readonly label: string;
  readonly code: Float32Array;
}

export async function trainedHead(
  { backbone, input }: Network,
  examples: readonly LabelledCode[],
): Promise<Head> {
  const { name, version, weightsSha256, taps } = backbone.plan;
  const labels = [...new Set(examples.map(({ label }) => label))];
  const codes = new Float16Array(examples.length * backbone.codeLength);
  for (const [i, { code }] of examples.entries()) codes.set(code, i * backbone.codeLength);
  const statistics = taps.map((tap) => tap.statistic ?? 'mean');
  return await trainHead(
    {
      backbone: { name, version, weightsSha256 },
      taps: taps.map((tap) => tap.name),
      ...(statistics.includes('deviation') ? { statistics } : {}),
      ...(input.rules === 1 ? {} : { input }),
      labels,
      codes,
      targets: Uint16Array.from(examples, ({ label }) => labels.indexOf(label)),
    },
    LEARNING,
  );
}

/** @returns the fraction of the examples whose label the head puts first. */
export function accuracyOf(head: Head, examples: readonly LabelledCode[]): number {
  const right = examples.filter(({ label, code }) => {
    const { probabilities } = score(head, code);
    return head.labels[probabilities.indexOf(Math.max(...probabilities))] === label;
  });
  return right.length / examples.length;
}
