/** What there is to say about a head in words: for the report and for `inspect`. */
import type { Head } from '../../src/head/head.ts';
import { methodText } from '../../src/head/index.ts';
import { byteSize } from '../files.ts';

/** @returns names and values. */
export function headFacts(head: Head, bytes: number, strategy?: string): [string, string][] {
  const { training, backbone, input, novelty } = head;
  const [lambda, temperature] = [training.lambda, head.temperature].map((value) => value.toPrecision(3));
  const facts: [string, string | undefined][] = [
    ['Strategy', strategy],
    ['Method', `${methodText(training.method)}, λ = ${lambda}, temperature ${temperature}`],
    ['Pictures', `${training.examples}: ${classCounts(head)}`],
    ['Backbone', `${backbone.name} ${backbone.version}, weights ${backbone.weightsSha256.slice(0, 16)}…`],
    ['Pictures as read', input && `${input.height}×${input.width} pixels, pixel rules ${input.rules}`],
    ['CNN code', `${head.codeLength} numbers from ${head.taps.join(', ')}`],
    [
      'Unknown',
      `above ${novelty.threshold.toFixed(2)}; ${novelty.directions.length / head.codeLength} directions`,
    ],
    ['File', byteSize(bytes)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const MAX_CLASSES_LISTED = 24;

function classCounts({ labels, training }: Head): string {
  const listed = labels.slice(0, MAX_CLASSES_LISTED).map((label, i) => `${label} ${training.counts[i]}`);
  return listed.join(', ') + (labels.length > listed.length ? ', …' : '');
}
