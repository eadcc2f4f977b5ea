/** headwater train: pictures → CNN codes → a head file, its metrics and a report. */
import { createHash } from 'node:crypto';
import type { Head } from '../../src/head/head.ts';
import { heldOutFolds, heldOutText, methodText, writeHead } from '../../src/head/index.ts';
import { summarise } from '../../src/learn/statistics/metrics.ts';
import type { TrainedHead } from '../../src/learn/ridge/train.ts';
import { readLabelledCodes, requireTrainable, type LabelledCodes } from '../codes/labelled.ts';
import { openReader } from '../codes/reader.ts';
import { openDataSet } from '../datasets/index.ts';
import { judge, scoreAll, type Evaluation, type NamedEvaluation } from '../evaluation/evaluation.ts';
import { UsageError } from '../cli/failure.ts';
import { classTable, metricsJson, metricsTable, heldOutName } from '../evaluation/metrics-text.ts';
import { byteSize, requireWritable, writeWhole } from '../files.ts';
import { requireKnownLabels, type Solver } from '../learning.ts';
import { chosenReading, type Reading } from '../reading.ts';
import type { DataSet } from '../datasets/dataset.ts';
import { headFacts } from '../report/facts.ts';
import type { Html } from '../report/html.ts';
import { frontierSection } from '../report/frontier.ts';
import { mapSection, strategiesSection, tapsSection } from '../report/transfer.ts';
import { writeReport } from '../report/report.ts';
import { reportSkipped, skippedJson } from '../cli/skipped.ts';
import type { Terminal } from '../cli/terminal.ts';
import { runAuto, runStrategy, type Explanation, type StrategyResult } from '../strategy/auto.ts';
import { trainingData } from '../strategy/training-data.ts';
import { explanationJson, triedTable } from '../strategy/explanation.ts';
import { frontierJson, frontierTable } from '../strategy/space/frontier.ts';
import type { Frontier } from '../strategy/space/screening.ts';
import { chooseReading, type ChosenSpace } from '../strategy/space/spaces.ts';
import { codesFor } from '../strategy/head-codes.ts';
import { isStrategy, TUNED, type Strategy } from '../strategy/strategies.ts';
import { rememberTraining } from '../training-record.ts';

interface TrainOptions {
  readonly out: string;
  readonly test?: string;
  readonly strategy: string;
  /** Milliseconds a picture at the edge that `auto` may choose among; what the usual backbone and size cost where absent. */
  readonly cpuBudget?: number;
  /** Side of the pictures in pixels; the backbone's default where absent. */
  readonly size?: number;
  readonly solver: Solver;
  /** Decides every draw of chance. */
  readonly seed: number;
  /** Seconds that `auto` may spend on fine-tuning. */
  readonly budget: number;
  readonly resume?: boolean;
  /** A path; false for none. */
  readonly report?: string | false;
}

export async function train(data: string, options: TrainOptions, terminal: Terminal): Promise<void> {
  requireSolver(options);
  const start = performance.now();
  const { out } = options;
  const report = reportPath(options);
  await requireWritable(out);
  await requireWritable(report);
  // Both are opened first: a slip in the second path should not cost the work on the first.
  const trainingData = await openDataSet(data);
  const testData = options.test === undefined ? undefined : await openDataSet(options.test);
  const task = await taskFor(trainingData, options, testData?.pictures.length ?? 0, terminal);
  const { reading, frontier } = task;
  const { set, testSet } = await readSets(trainingData, testData, reading, terminal);
  terminal.note(`Training on ${set.pictures.length} pictures of ${set.labels.length} classes …`);
  const { strategy, trained, explanation } = await transfer(task, set, options, terminal);
  const test = testSet && (await judgeTest(trained.head, testSet, reading, terminal));
  const head = test === undefined ? trained.head : withTest(trained.head, test.evaluation);
  const bytes = writeHead(head);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  await writeWhole(out, bytes);
  await rememberTraining(sha256, set.source);
  const leaveOneOut = judgeLeftOut(trained, set);
  const file = { path: out, bytes: bytes.length, sha256 };
  const run: Run = { strategy, explanation, frontier, head, file, set, leaveOneOut, test, report };
  if (report !== undefined) await writeTrainingReport(run, report);
  const seconds = (performance.now() - start) / 1000;
  show(terminal, run, seconds);
  terminal.result(asJson(run, seconds));
}

interface Run {
  readonly strategy: Strategy;
  /** Where the strategy was chosen: why. */
  readonly explanation: Explanation | undefined;
  /** Where backbone and size were chosen: from what. */
  readonly frontier: Frontier | undefined;
  readonly head: Head;
  readonly file: { readonly path: string; readonly bytes: number; readonly sha256: string };
  readonly set: LabelledCodes;
  readonly leaveOneOut: NamedEvaluation | undefined;
  readonly test: { readonly set: LabelledCodes; readonly evaluation: NamedEvaluation } | undefined;
  readonly report: string | undefined;
}

/** @throws UsageError where the solver of the command line would not be used. */
function requireSolver({ strategy, solver }: TrainOptions): void {
  if (solver !== 'logistic' || !TUNED.some((name) => name === strategy)) return;
  throw new UsageError(
    `--solver logistic is for linear strategies; '${strategy}' finds the head behind the tuned network by ridge regression. Leave --solver out, or choose --strategy linear-all.`,
  );
}

/** The strategy of the command line and how it reads pictures, or the choice of `auto` and its budget. */
type Task =
  | { readonly strategy: Strategy; readonly reading: Reading; readonly frontier?: undefined }
  | ({ readonly strategy: 'auto' } & ChosenSpace);

async function transfer(
  task: Task,
  set: LabelledCodes,
  { solver, seed, budget, resume = false, out }: TrainOptions,
  terminal: Terminal,
): Promise<StrategyResult> {
  const data = trainingData(task.reading, set);
  const options = { terminal, seed, solver, resume, out };
  if (task.strategy !== 'auto') return runStrategy(data, task.strategy, options);
  return runAuto(data, { seconds: budget, cpuMs: task.cpuMs, pace: task.pace }, options);
}

/** @returns undefined for no report; by default it lies beside the head: t.safetensors → t.html. */
function reportPath({ out, report }: TrainOptions): string | undefined {
  return report === false ? undefined : (report ?? `${out.replace(/\.safetensors$/i, '')}.html`);
}

/**
 * Only `auto` chooses: a strategy of the command line reads what the user says, or the default.
 * @param tested pictures of the test.
 */
async function taskFor(
  data: DataSet,
  options: TrainOptions,
  tested: number,
  terminal: Terminal,
): Promise<Task> {
  const { strategy, cpuBudget, size } = options;
  if (!isStrategy(strategy)) {
    return { strategy: 'auto', ...(await chooseReading(data, { ...options, tested }, terminal)) };
  }
  if (cpuBudget !== undefined) {
    throw new UsageError(
      `--cpu-budget is for --strategy auto, which chooses backbone and size; with '${strategy}' say --backbone and --size.`,
    );
  }
  return { strategy, reading: await chosenReading(size) };
}

async function readSets(
  trainingData: DataSet,
  testData: DataSet | undefined,
  reading: Reading,
  terminal: Terminal,
): Promise<{ set: LabelledCodes; testSet: LabelledCodes | undefined }> {
  const reader = await openReader(reading, terminal);
  const set = await readLabelledCodes(trainingData, reader);
  reportSkipped(terminal, set);
  requireTrainable(set);
  if (testData === undefined) return { set, testSet: undefined };
  const testSet = await readLabelledCodes(testData, reader);
  reportSkipped(terminal, testSet);
  requireKnownLabels(set.labels, testSet);
  const shared = sharedPictures(set, testSet);
  if (shared > 0) {
    terminal.warn(
      `${shared} of ${testSet.pictures.length} test pictures are in the training data too: the test metrics flatter.`,
    );
  }
  return { set, testSet };
}

function sharedPictures(set: LabelledCodes, test: LabelledCodes): number {
  const known = new Set(set.pictures.map((picture) => picture.sha256));
  return test.pictures.filter((picture) => known.has(picture.sha256)).length;
}

async function judgeTest(
  head: Head,
  set: LabelledCodes,
  reading: Reading,
  terminal: Terminal,
): Promise<NonNullable<Run['test']>> {
  const codes = await codesFor(head, set, reading, terminal);
  const evaluation = judge(head.labels, set.pictures, scoreAll(head, codes).probabilities);
  return { set, evaluation: { name: 'test', ...evaluation } };
}

/** @returns undefined when no class has two pictures. */
function judgeLeftOut(
  { head, leaveOneOut, metrics }: TrainedHead,
  set: LabelledCodes,
): NamedEvaluation | undefined {
  if (metrics === null) return undefined;
  const { labels, judgements } = judge(head.labels, set.pictures, leaveOneOut);
  // The only picture of its class could not be known when it was left out, and is not counted.
  const counted = judgements.filter(({ target }) => head.training.counts[target] > 1);
  return { name: heldOutName(head.training.method), labels, metrics, judgements: counted };
}

function withTest(head: Head, { metrics }: Evaluation): Head {
  return { ...head, training: { ...head.training, test: summarise(metrics) } };
}

/** The most telling first. */
function evaluations({ leaveOneOut, test }: Run): NamedEvaluation[] {
  return [test?.evaluation, leaveOneOut].filter((evaluation) => evaluation !== undefined);
}

function show(terminal: Terminal, run: Run, seconds: number): void {
  if (run.frontier !== undefined) terminal.print(`${frontierTable(run.frontier)}\n`);
  if (run.explanation !== undefined) terminal.print(`${triedTable(run.explanation)}\n`);
  const shown = evaluations(run);
  if (shown.length > 0) {
    terminal.print(`${metricsTable(shown.toReversed())}\n\n${classTable(run.head.labels, shown[0])}\n`);
  }
  const report = run.report === undefined ? '' : `, report ${run.report}`;
  terminal.print(`Head ${run.file.path} (${byteSize(run.file.bytes)})${report}, in ${seconds.toFixed(1)} s`);
}

function asJson(run: Run, seconds: number): Record<string, unknown> {
  const { head, set, test, leaveOneOut } = run;
  const { training, labels } = head;
  return {
    strategy: run.strategy,
    classes: labels,
    examples: { total: training.examples, per_class: training.counts },
    leave_one_out: leaveOneOut === undefined ? null : metricsJson(labels, leaveOneOut.metrics),
    test: test === undefined ? null : testJson(run, test),
    skipped: skippedJson(set),
    head: run.file,
    report: run.report ?? null,
    backbone: head.backbone,
    input: head.input ?? null,
    method: methodText(training.method),
    held_out_by: heldOutText(heldOutFolds(training.method)),
    choice: run.explanation === undefined ? null : explanationJson(run.explanation),
    frontier: run.frontier === undefined ? null : frontierJson(run.frontier),
    lambda: training.lambda,
    temperature: head.temperature,
    seconds,
    codes_from_cache: set.fromCache + (test?.set.fromCache ?? 0),
  };
}

function testJson({ head, set }: Run, test: NonNullable<Run['test']>): Record<string, unknown> {
  return {
    ...metricsJson(head.labels, test.evaluation.metrics),
    also_in_training: sharedPictures(set, test.set),
    skipped: skippedJson(test.set),
  };
}

async function writeTrainingReport(run: Run, path: string): Promise<void> {
  const { head, set, test } = run;
  await writeReport(path, {
    title: `Head for ${head.labels.length} classes`,
    subtitle: `Trained on ${set.pictures.length} pictures in ${set.source}`,
    evaluations: evaluations(run),
    facts: headFacts(head, run.file.bytes, run.strategy),
    sections: [
      ...(run.frontier === undefined ? [] : [frontierSection(run.frontier)]),
      ...(run.explanation === undefined ? [] : transferSections(run.explanation)),
    ],
    skipped: [...set.skipped, ...(test?.set.skipped ?? [])],
  });
}

function transferSections({ situation, taps, tried, choice }: Explanation): Html[] {
  return [mapSection(situation), tapsSection(taps), strategiesSection(tried, choice)];
}
