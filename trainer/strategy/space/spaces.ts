/** Which backbones and sizes `auto` may choose from, and the choice. */
import { allowsSize, type Backbone } from '../../../src/backbone/index.ts';
import { defaultInput } from '../../../src/head/picture-input.ts';
import { carriedBackbones, hasChosenBackbone, readBackbone } from '../../backbones.ts';
import type { DataSet } from '../../datasets/dataset.ts';
import type { Solver } from '../../learning.ts';
import { chosenReading, readingAt, type Reading } from '../../reading.ts';
import { duration, type Terminal } from '../../cli/terminal.ts';
import { codeMs } from '../cost/edge.ts';
import { measuringSeconds } from '../tuning/pace.ts';
import { answerMs } from '../tuning/plan.ts';
import { linearSeconds } from '../cost/linear.ts';
import { measurePace, type Pace } from '../cost/pace.ts';
import { MAX_SCREENED, screen, spaceName, withinBudget, type Frontier, type Space } from './screening.ts';
import { isMuch } from '../situation.ts';

/**
 * Cloudflare's free plan gives a request 10 ms of CPU. Decoding a photo of 500×375 pixels and what surrounds an answer take
 * 2.5 of them.
 */
const CPU_BUDGET_MS = 7.5;

interface SpaceOptions {
  /** Milliseconds of a picture's code at the edge; CPU_BUDGET_MS where absent, or what the chosen backbone costs if that is more. */
  readonly cpuBudget?: number;
  /** Side of the pictures in pixels, where the user has chosen it. */
  readonly size?: number;
  readonly seed: number;
  readonly solver: Solver;
  /** Pictures that the head will be tested on. */
  readonly tested: number;
}

export interface ChosenSpace {
  readonly reading: Reading;
  /** Where there was a choice: the evidence. */
  readonly frontier?: Frontier;
  /** Milliseconds of a picture at the edge that the run may spend. */
  readonly cpuMs: number;
  readonly pace: Pace;
}

/**
 * How the pictures of a run of `auto` are read, and what it may cost. A backbone or a size that the user has chosen is
 * kept to. Says how long the run takes without fine-tuning.
 * @throws UsageError when nothing fits the budget or the size; HeadwaterError `training_data_invalid`; FileError
 */
export async function chooseReading(
  dataSet: DataSet,
  options: SpaceOptions,
  terminal: Terminal,
): Promise<ChosenSpace> {
  const { cpuBudget, size, seed } = options;
  const usual = await chosenReading(size);
  const backbones = hasChosenBackbone() ? [await readBackbone()] : await carriedBackbones();
  const budgetMs = cpuBudget ?? Math.max(codeMs(usual.backbone), CPU_BUDGET_MS);
  const spaces = withinBudget(readingsOf(backbones, size), budgetMs);
  const [dearest] = spaces.within.slice(-1);
  const pace = await measurePace(dataSet, dearest.reading);
  const run = { cpuMs: budgetMs, pace };
  announce(dataSet, spaces.within, options, run, terminal);
  if (spaces.within.length === 1) return { ...run, reading: dearest.reading };
  const frontier = await screen(dataSet, { ...spaces, budgetMs, seed, usual }, terminal);
  if (frontier === undefined) return { ...run, reading: dearest.reading };
  const { chosen, because } = frontier;
  terminal.note(`Chosen: ${spaceName(chosen)}. ${because}`);
  return { ...run, reading: chosen.reading, frontier };
}

function announce(
  { pictures, labels }: DataSet,
  within: readonly Space[],
  { solver, tested }: SpaceOptions,
  { cpuMs, pace }: Pick<ChosenSpace, 'cpuMs' | 'pace'>,
  terminal: Terminal,
): void {
  const backbones = within.map((space) => space.reading.backbone);
  const work = {
    backbones,
    screened: Math.min(pictures.length, MAX_SCREENED),
    examples: pictures.length,
    tested,
    classes: labels.length,
  };
  const seconds = solver === 'logistic' ? undefined : linearSeconds(work, pace);
  if (seconds === undefined) return;
  const tunable = isMuch(pictures.length, labels.length)
    ? backbones.filter((backbone) => answerMs('fine-tune', backbone) <= cpuMs)
    : [];
  const measuring = tunable.map((backbone) => measuringSeconds('fine-tune', backbone, pace));
  const later =
    tunable.length === 0 ? '' : '; fine-tuning comes on top, if it is worth a try, and is announced';
  terminal.note(`This takes up to ${duration(seconds + Math.max(0, ...measuring))} on this machine${later}.`);
}

/** Each backbone at its own size and at its sides, or at the one size alone. */
function readingsOf(backbones: readonly Backbone[], side: number | undefined): Reading[] {
  return backbones.flatMap((backbone) => {
    const { plan } = backbone;
    const { height, width, sides = [] } = plan.input;
    const squares = (side === undefined ? sides : [side]).map((each) => ({ height: each, width: each }));
    const sizes = side === undefined ? [{ height, width }, ...squares] : squares;
    const distinct = new Map(sizes.map((each) => [`${each.height}×${each.width}`, each]));
    return [...distinct.values()]
      .filter((each) => allowsSize(plan, each))
      .map((each) => readingAt(backbone, { ...defaultInput(plan), ...each }));
  });
}
