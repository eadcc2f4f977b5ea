/** Which backbones and sizes `auto` may choose from, and the choice. */
import type { Backbone } from '../../src/backbone/index.ts';
import { allowsSize } from '../../src/backbone/index.ts';
import { defaultInput } from '../../src/head/picture-input.ts';
import { carriedBackbones, hasChosenBackbone, readBackbone } from '../backbones.ts';
import type { DataSet } from '../datasets/dataset.ts';
import type { Reading } from '../reading.ts';
import { chosenReading, readingAt } from '../reading.ts';
import type { Terminal } from '../terminal.ts';
import { codeMs } from './edge-cost.ts';
import type { Frontier } from './screening.ts';
import { screen, spaceName, withinBudget } from './screening.ts';

export interface SpaceOptions {
  /** Milliseconds of a picture's code at the edge; what the default space costs where absent. */
  readonly cpuBudget?: number;
  /** Side of the pictures in pixels, where the user has chosen it. */
  readonly size?: number;
  readonly seed: number;
}

/**
 * How the pictures of a run of `auto` are read. A backbone or a size that the user has chosen is kept to.
 * @returns with the evidence where there was a choice.
 * @throws UsageError when nothing fits the budget or the size; HeadwaterError `training_data_invalid`; FileError
 */
export async function chooseReading(
  dataSet: DataSet,
  { cpuBudget, size, seed }: SpaceOptions,
  terminal: Terminal,
): Promise<{ reading: Reading; frontier?: Frontier }> {
  const usual = await chosenReading(size);
  const backbones = hasChosenBackbone() ? [await readBackbone()] : await carriedBackbones();
  const budgetMs = cpuBudget ?? codeMs(usual.backbone);
  const spaces = withinBudget(readingsOf(backbones, size), budgetMs);
  if (spaces.within.length === 1) return { reading: spaces.within[0].reading };
  const frontier = await screen(dataSet, { ...spaces, budgetMs, seed }, terminal);
  if (frontier === undefined) return { reading: spaces.within.at(-1)?.reading ?? usual };
  const { chosen, because } = frontier;
  terminal.note(`Chosen: ${spaceName(chosen)}. ${because}`);
  return { reading: chosen.reading, frontier };
}

/** Each backbone at its own size and at its sides, or at the one size alone. */
function readingsOf(backbones: readonly Backbone[], side: number | undefined): Reading[] {
  return backbones.flatMap((backbone) => {
    const { plan } = backbone;
    const { height, width, sides = [] } = plan.input;
    const squares = (side === undefined ? sides : [side]).map((each) => ({ height: each, width: each }));
    const sizes = side === undefined ? [{ height, width }, ...squares] : squares;
    const distinct = sizes.filter(
      (a, i) => sizes.findIndex((b) => a.height === b.height && a.width === b.width) === i,
    );
    return distinct
      .filter((each) => allowsSize(plan, each))
      .map((each) => readingAt(backbone, { ...defaultInput(plan), ...each }));
  });
}
