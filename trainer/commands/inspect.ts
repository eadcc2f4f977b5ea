/** headwater inspect: what a head file says about itself. */
import { methodText } from '../../src/head/index.ts';
import {
  classTable,
  metricsJson,
  metricsTable,
  heldOutName,
  type NamedMetrics,
} from '../evaluation/metrics-text.ts';
import { readHeadFile } from '../head-file.ts';
import { headFacts } from '../report/facts.ts';
import { table, type Terminal } from '../cli/terminal.ts';

export async function inspect(file: string, _: unknown, terminal: Terminal): Promise<void> {
  const { head, bytes, sha256, path } = await readHeadFile(file);
  const { training, labels } = head;
  const metrics: NamedMetrics[] = [
    ...(training.leaveOneOut === null
      ? []
      : [{ name: heldOutName(training.method), metrics: training.leaveOneOut }]),
    ...(training.test === undefined ? [] : [{ name: 'test', metrics: training.test }]),
  ];
  terminal.print(table(['', ''], [['SHA-256', sha256], ...headFacts(head, bytes.length)]));
  const last = metrics.at(-1);
  if (last !== undefined) terminal.print(`\n${metricsTable(metrics)}\n\n${classTable(labels, last)}`);
  terminal.result({
    head: { path, bytes: bytes.length, sha256 },
    backbone: head.backbone,
    taps: head.taps,
    statistics: head.statistics ?? null,
    input: head.input ?? null,
    code_length: head.codeLength,
    classes: labels.map((label, i) => ({ label, examples: training.counts[i] })),
    examples: training.examples,
    method: methodText(training.method),
    lambda: training.lambda,
    temperature: head.temperature,
    unknown: {
      threshold: head.novelty.threshold,
      directions: head.novelty.directions.length / head.codeLength,
    },
    leave_one_out: training.leaveOneOut === null ? null : metricsJson(labels, training.leaveOneOut),
    test: training.test === undefined ? null : metricsJson(labels, training.test),
  });
}
