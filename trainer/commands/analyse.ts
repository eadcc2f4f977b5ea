/** headwater analyse: what there is to know about a data set before a head is trained on it. */
import { findOut, type Findings, type NamedPair } from '../analyse/findings.ts';
import { readLabelledCodes, requireTrainable, type LabelledCodes } from '../codes/labelled.ts';
import { openReader } from '../codes/reader.ts';
import { openDataSet } from '../datasets/index.ts';
import { percent } from '../evaluation/metrics-text.ts';
import { requireWritable } from '../files.ts';
import { chosenReading } from '../reading.ts';
import { curveSection, mapSection, tapsSection } from '../report/transfer.ts';
import { writeReport } from '../report/report.ts';
import { reportSkipped, skippedJson } from '../cli/skipped.ts';
import { describe } from '../strategy/auto.ts';
import { table, type Terminal } from '../cli/terminal.ts';

interface AnalyseOptions {
  readonly test?: string;
  readonly report?: string;
  readonly seed: number;
  /** Side of the pictures in pixels; the backbone's default where absent. */
  readonly size?: number;
}

/** Lines of a list that a terminal shows; --json has them all. */
const LINES = 10;

export async function analyse(data: string, options: AnalyseOptions, terminal: Terminal): Promise<void> {
  const { report, seed } = options;
  await requireWritable(report);
  const reading = await chosenReading(options.size);
  const reader = await openReader(reading, terminal);
  const set = await readLabelledCodes(await openDataSet(data), reader);
  reportSkipped(terminal, set);
  requireTrainable(set);
  const test =
    options.test === undefined ? undefined : await readLabelledCodes(await openDataSet(options.test), reader);
  const findings = await findOut(set, test, reading, { seed, terminal });
  if (report !== undefined) await writeAnalysis(findings, set, report);
  show(terminal, findings);
  terminal.result(asJson(findings, set, report));
}

function show(terminal: Terminal, findings: Findings): void {
  const { counts, imbalance, situation, taps, curve, suspects, nearDuplicates, leaks } = findings;
  terminal.print(describe(situation));
  const balance = imbalance > 1.5 ? `; the largest class has ${imbalance.toFixed(1)} times the smallest` : '';
  terminal.print(`${situation.examples} pictures of ${counts.length} classes${balance}.\n`);
  terminal.print(
    table(
      ['class', 'pictures'],
      counts.map(({ label, examples }) => [label, examples]),
    ),
  );
  const byTap = taps.map(({ tap, accuracy, logLoss }) => [tap, percent(accuracy), logLoss.toFixed(3)]);
  terminal.print(`\n${table(['tap alone', 'accuracy', 'log-loss'], byTap)}`);
  const byCount = curve.map(({ perClass, accuracy }) => [perClass.toFixed(0), percent(accuracy)]);
  terminal.print(`\n${table(['pictures a class', 'accuracy, all taps'], byCount)}`);
  const suspectHead = ['picture', 'label', 'predicted', 'confidence'];
  const suspected = suspects.map((s) => [s.picture, s.label, s.taken, percent(s.confidence)]);
  list(terminal, 'Perhaps labelled wrongly', suspectHead, suspected);
  listPairs(terminal, 'Nearly the same', nearDuplicates);
  if (leaks === undefined) return;
  const exact = leaks.exact.map((name) => [name]);
  list(terminal, 'Test pictures that are in the training data', ['picture'], exact);
  listPairs(terminal, 'Test pictures that nearly are', leaks.near);
}

const PAIR_HEAD = ['picture', 'and', 'alike', 'labels'];

function listPairs(terminal: Terminal, title: string, pairs: readonly NamedPair[] | undefined): void {
  if (pairs === undefined)
    terminal.print(`\n${title}: not known, too many pictures to compare each with each.`);
  else list(terminal, title, PAIR_HEAD, pairs.map(pairRow));
}

function pairRow({ first, second, cosine, labelsDiffer }: NamedPair): string[] {
  return [first, second, cosine.toFixed(3), labelsDiffer ? 'differ' : 'agree'];
}

function list(terminal: Terminal, title: string, head: readonly string[], rows: readonly string[][]): void {
  if (rows.length === 0) return terminal.print(`\n${title}: none.`);
  const more = rows.length > LINES ? `\n… and ${rows.length - LINES} more` : '';
  terminal.print(`\n${title} (${rows.length}):\n${table(head, rows.slice(0, LINES))}${more}`);
}

function asJson(findings: Findings, set: LabelledCodes, report: string | undefined): Record<string, unknown> {
  const { counts, imbalance, situation, taps, curve, suspects, nearDuplicates, leaks } = findings;
  return {
    classes: counts,
    examples: situation.examples,
    imbalance,
    skipped: skippedJson(set),
    quadrant: { size: situation.size, similarity: situation.likeness },
    per_class: situation.perClass,
    similarity: situation.similarity ?? null,
    accuracy_by_tap: taps.map(({ tap, accuracy, logLoss }) => ({ tap, accuracy, log_loss: logLoss })),
    learning_curve: curve.map(({ perClass, accuracy }) => ({ per_class: perClass, accuracy })),
    perhaps_mislabelled: suspects,
    near_duplicates: nearDuplicates?.map(pairJson) ?? null,
    leakage: leaks === undefined ? null : { exact: leaks.exact, near: leaks.near?.map(pairJson) ?? null },
    report: report ?? null,
  };
}

function pairJson({ first, second, cosine, labelsDiffer }: NamedPair): Record<string, unknown> {
  return { first, second, cosine, labels_differ: labelsDiffer };
}

async function writeAnalysis(findings: Findings, set: LabelledCodes, path: string): Promise<void> {
  const { situation, taps, curve, counts } = findings;
  await writeReport(path, {
    title: 'Data set',
    subtitle: `${situation.examples} pictures of ${counts.length} classes in ${set.source}`,
    evaluations: [],
    sections: [mapSection(situation), tapsSection(taps), curveSection(curve)],
    facts: counts.map(({ label, examples }) => [label, `${examples} pictures`]),
    skipped: set.skipped,
  });
}
