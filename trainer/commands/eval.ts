/** headwater eval: metrics of a head on another data set, and how it does on pictures of nothing that it knows. */
import { HeadwaterError } from '../../src/errors.ts';
import { assertCompatible } from '../../src/head/index.ts';
import { readLabelledCodes, readUnlabelledCodes, selectCodes } from '../codes/labelled.ts';
import type { LabelledCodes } from '../codes/labelled.ts';
import { openReader, type CodesReader } from '../codes/reader.ts';
import { listPictures, openDataSet } from '../datasets/index.ts';
import { judge, scoreAll, type Evaluation, type Scores } from '../evaluation/evaluation.ts';
import {
  classTable,
  metricsJson,
  metricsTable,
  percent,
  percentInterval,
} from '../evaluation/metrics-text.ts';
import { requireWritable } from '../files.ts';
import { readHeadFile, type HeadFile } from '../head-file.ts';
import {
  compareUnknown,
  leaveClassesOut,
  MIN_CLASSES_TO_LEAVE_OUT,
  type LeftOutClass,
  type Share,
  type UnknownMetrics,
} from '../evaluation/unknown.ts';
import { readingOf, type Reading } from '../reading.ts';
import { headFacts } from '../report/facts.ts';
import { writeReport } from '../report/report.ts';
import { readBackbone } from '../runtime.ts';
import { reportSkipped, skippedJson } from '../cli/skipped.ts';
import { codesFor } from '../strategy/head-codes.ts';
import { printable, table, type Terminal } from '../cli/terminal.ts';
import { recallTraining } from '../training-record.ts';

interface EvalOptions {
  readonly head: string;
  readonly unknown?: string;
  readonly leaveOut?: string;
  readonly report?: string;
}

interface Run {
  readonly file: HeadFile;
  readonly set: LabelledCodes;
  /** Labels of the data set that the head does not have; their pictures are not counted. */
  readonly strangeLabels: readonly string[];
  readonly evaluation: Evaluation;
  readonly unknown: UnknownMetrics | undefined;
  readonly leftOut: readonly LeftOutClass[] | undefined;
}

export async function evaluateCommand(data: string, options: EvalOptions, terminal: Terminal): Promise<void> {
  const { report } = options;
  await requireWritable(report);
  const file = await readHeadFile(options.head);
  const backbone = await readBackbone(file.head.backbone.weightsSha256);
  assertCompatible(file.head, backbone.plan);
  const reading = readingOf(file.head, backbone);
  const reader = await openReader(reading, terminal);
  const set = await readLabelledCodes(await openDataSet(data), reader);
  reportSkipped(terminal, set);
  const { known, strangeLabels } = knownPart(file, set, terminal);
  const scores = scoreAll(file.head, await codesFor(file.head, known, reading, terminal));
  const evaluation = judge(file.head.labels, known.pictures, scores.probabilities);
  const unknown =
    options.unknown === undefined
      ? undefined
      : await unknownMetrics(file, scores, options.unknown, { reading, reader });
  const leftOut = await leftOutMetrics(file, set, options, { reading, reader });
  const run: Run = { file, set, strangeLabels, evaluation, unknown, leftOut };
  if (report !== undefined) await writeEvalReport(run, report);
  show(terminal, run);
  terminal.result({ ...asJson(run), report: report ?? null });
}

function knownPart(
  { head, path }: HeadFile,
  set: LabelledCodes,
  terminal: Terminal,
): { known: Pick<LabelledCodes, 'pictures' | 'codes'>; strangeLabels: string[] } {
  const strangeLabels = set.labels.filter((label) => !head.labels.includes(label));
  const known = selectCodes(set, (picture) => head.labels.includes(picture.label));
  const names = printable(strangeLabels.join(', '));
  if (known.pictures.length === 0) {
    throw new HeadwaterError(
      'training_data_invalid',
      `None of the labels in ${set.source} (${names}) is one of the head's (${head.labels.join(', ')}): ${path} cannot ` +
        'be judged by them. Labels must match exactly. Pictures of anything else go to --unknown.',
    );
  }
  if (strangeLabels.length > 0) {
    const count = set.pictures.length - known.pictures.length;
    terminal.warn(`The head has no class ${names}: ${count} pictures are left out of the metrics.`);
  }
  return { known, strangeLabels };
}

async function unknownMetrics(
  { head }: HeadFile,
  known: Scores,
  folder: string,
  { reading, reader }: { reading: Reading; reader: CodesReader },
): Promise<UnknownMetrics> {
  const strange = await readUnlabelledCodes(folder, await listPictures(folder), reader);
  reportSkipped(reader.terminal, strange);
  const codes = await codesFor(head, strange, reading, reader.terminal);
  return compareUnknown(known, scoreAll(head, codes));
}

/** Needs the training data: given, or remembered from when the head was trained on this machine. */
async function leftOutMetrics(
  { sha256 }: HeadFile,
  test: LabelledCodes,
  { leaveOut, unknown }: EvalOptions,
  { reading, reader }: { reading: Reading; reader: CodesReader },
): Promise<LeftOutClass[] | undefined> {
  if (leaveOut === undefined && unknown === undefined) return undefined;
  const { terminal } = reader;
  const source = leaveOut === undefined ? await recallTraining(sha256) : leaveOut;
  if (source === undefined) {
    terminal.note('To leave each class out in turn, name the training data with --leave-out.');
    return undefined;
  }
  try {
    const training = await readLabelledCodes(await openDataSet(source), reader);
    if (training.labels.length < MIN_CLASSES_TO_LEAVE_OUT) {
      terminal.note(`Classes cannot be left out: that needs ${MIN_CLASSES_TO_LEAVE_OUT} of them.`);
      return undefined;
    }
    const progress = terminal.progress('Leave out', training.labels.length);
    const leftOut = await leaveClassesOut(reading, training, test, () => progress.step());
    progress.stop();
    return leftOut.length === 0 ? undefined : leftOut;
  } catch (error) {
    // Data of the command line must be there; remembered ones may have moved since.
    if (leaveOut !== undefined || !(error instanceof Error)) throw error;
    terminal.note(`Classes cannot be left out, name the training data with --leave-out. ${error.message}`);
    return undefined;
  }
}

function show(terminal: Terminal, { file, evaluation, unknown, leftOut }: Run): void {
  const column = { name: 'pictures', metrics: evaluation.metrics };
  terminal.print(
    `${metricsTable([column])}\n\n${classTable(file.head.labels, { ...column, name: 'metrics' })}`,
  );
  if (unknown !== undefined) {
    const rows = [
      ['known pictures that pass', shareText(unknown.passed)],
      ['other pictures flagged as unknown', shareText(unknown.flagged)],
      ['AUROC, other against known', unknown.auroc.toFixed(3)],
    ];
    terminal.print(`\n${table(['unknown', ''], rows)}`);
  }
  if (leftOut !== undefined) {
    const rows = [...leftOut, { label: 'mean', auroc: meanAuroc(leftOut) }];
    const cells = rows.map(({ label, auroc }) => [label, auroc.toFixed(3)]);
    terminal.print(`\n${table(['class left out', 'AUROC, it against the rest'], cells)}`);
  }
}

function shareText({ count, of, share, interval }: Share): string {
  return `${percent(share)} (${percentInterval(interval)}), ${count} of ${of}`;
}

function meanAuroc(leftOut: readonly LeftOutClass[]): number {
  return leftOut.reduce((sum, { auroc }) => sum + auroc, 0) / leftOut.length;
}

function asJson({ file, set, strangeLabels, evaluation, unknown, leftOut }: Run): Record<string, unknown> {
  return {
    head: { path: file.path, bytes: file.bytes.length, sha256: file.sha256 },
    classes: file.head.labels,
    ...metricsJson(file.head.labels, evaluation.metrics),
    labels_not_in_head: strangeLabels,
    skipped: skippedJson(set),
    unknown:
      unknown === undefined
        ? null
        : { flagged: unknown.flagged, known_passed: unknown.passed, auroc: unknown.auroc },
    class_left_out: leftOut === undefined ? null : { mean_auroc: meanAuroc(leftOut), per_class: leftOut },
  };
}

async function writeEvalReport({ file, set, evaluation }: Run, path: string): Promise<void> {
  const { head, bytes } = file;
  await writeReport(path, {
    title: `Head for ${head.labels.length} classes`,
    subtitle: `Judged on ${evaluation.metrics.examples} pictures in ${set.source}`,
    evaluations: [{ name: 'evaluation', ...evaluation }],
    facts: headFacts(head, bytes.length),
    skipped: set.skipped,
  });
}
