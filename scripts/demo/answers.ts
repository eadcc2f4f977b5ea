/** Asks the demo's Worker about pictures, and formats its answers for a terminal. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { percent } from '../../trainer/evaluation/metrics-text.ts';
import { table } from '../../trainer/cli/terminal.ts';
import type { LabelledFile } from './pictures.ts';

const Classified = z.object({
  predictions: z.array(z.object({ label: z.string(), score: z.number() })).min(1),
  unknown: z.object({ score: z.number(), is_unknown: z.boolean() }),
});
export type Answer = z.infer<typeof Classified> & { readonly milliseconds: number };

/** Where requests go. */
export interface Deployed {
  readonly url: URL;
  readonly head: string;
  readonly key: string;
}

/** @throws Error in words for the user where the Worker refuses the picture. */
export async function classify(path: string, { url, head, key }: Deployed): Promise<Answer> {
  const body = await readFile(path);
  const startedAt = performance.now();
  const response = await fetch(new URL(`/v1/heads/${head}/classify`, url), {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/octet-stream' },
    body,
  });
  const text = await response.text();
  const milliseconds = performance.now() - startedAt;
  if (!response.ok) throw new Error(`The Worker refused ${basename(path)}: ${text}`);
  return { ...Classified.parse(JSON.parse(text)), milliseconds };
}

/** The confusion matrix: true classes are rows, predicted classes are columns. */
export function confusionTable(files: readonly LabelledFile[], answers: readonly Answer[]): string {
  const labels = [...new Set(files.map(({ label }) => label))].sort();
  const called = new Set(answers.map(({ predictions }) => predictions[0].label));
  const columns = [...new Set([...labels, ...called])].sort();
  const rows = labels.map((label) => [
    label,
    ...columns.map((column) => {
      const count = files.filter(
        (file, i) => file.label === label && answers[i].predictions[0].label === column,
      ).length;
      return count === 0 ? '·' : `${count}`;
    }),
  ]);
  return table(['is, and was called', ...columns], rows);
}

/** One line: how many were right, how many were taken for none of the classes, how long an answer took. */
export function summary(files: readonly LabelledFile[], answers: readonly Answer[]): string {
  const right = answers.filter(({ predictions }, i) => predictions[0].label === files[i].label).length;
  const unknown = answers.filter((answer) => answer.unknown.is_unknown).length;
  const times = answers.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
  const median = times[Math.floor(times.length / 2)];
  return (
    `${right} of ${files.length} right (${percent(right / files.length)}), ${unknown} flagged as none of these; ` +
    `an answer took ${median.toFixed(0)} ms (median, with HTTP).`
  );
}

/** One line about a picture of something else. */
export function otherLine(path: string, { predictions, unknown }: Answer): string {
  const { label, score } = predictions[0];
  const verdict = unknown.is_unknown ? 'none of these (is_unknown is true)' : 'one of these';
  return `${basename(path)}, a photo of something else: ${verdict}; the nearest class would be ${label}, ${percent(score)}.`;
}
