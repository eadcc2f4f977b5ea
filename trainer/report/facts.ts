/** What there is to say about a head in words: for the report and for `inspect`. */
import type { Head } from '../../src/head/head.ts';
import { methodText } from '../../src/head/index.ts';
import { byteSize } from '../files.ts';

/** @returns names and values. */
export function headFacts(head: Head, bytes: number, strategy?: string): [string, string][] {
  const { training, backbone, input } = head;
  return [
    ...(strategy === undefined ? [] : [['Strategy', strategy] satisfies [string, string]]),
    [
      'Method',
      `${methodText(training.method)}, λ = ${training.lambda.toPrecision(3)}, temperature ${head.temperature.toPrecision(3)}`,
    ],
    ['Pictures', `${training.examples}: ${classCounts(head)}`],
    ['Backbone', `${backbone.name} ${backbone.version}, weights ${backbone.weightsSha256.slice(0, 16)}…`],
    ...(input === undefined
      ? []
      : [
          [
            'Pictures as read',
            `${input.height}×${input.width} pixels, pixel rules ${input.rules}`,
          ] satisfies [string, string],
        ]),
    ['CNN code', `${head.codeLength} numbers from ${head.taps.join(', ')}`],
    [
      'Unknown',
      `above ${head.novelty.threshold.toFixed(2)}; ${head.novelty.directions.length / head.codeLength} directions`,
    ],
    ['File', byteSize(bytes)],
  ];
}

const MAX_CLASSES_LISTED = 24;

function classCounts({ labels, training }: Head): string {
  const listed = labels.slice(0, MAX_CLASSES_LISTED).map((label, i) => `${label} ${training.counts[i]}`);
  return listed.join(', ') + (labels.length > listed.length ? ', …' : '');
}
