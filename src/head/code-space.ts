/**
 * A code space: everything that decides what the numbers of a CNN code mean. Codes of different spaces can't be compared
 * or mixed. A head reads codes of its own space only.
 */
import { codeLength, type Plan, type Statistic } from '../backbone/plan.ts';
import type { Head, PictureInput } from './head.ts';
import { sameInput } from './picture-input.ts';

/**
 * Weights, taps with their statistics, the input's size and the pixel rules. As in head files, absent statistics are
 * means, and an absent input is the backbone's own size by rules 1.
 */
export interface CodeSpace {
  readonly weightsSha256: string;
  /** Names, in the order of the code. */
  readonly taps: readonly string[];
  readonly statistics?: readonly Statistic[];
  readonly codeLength: number;
  readonly input?: PictureInput;
}

/** @returns the space of the codes that a head reads. It leaves out the tail's weights: compare those too. */
export function spaceOf({
  backbone,
  taps,
  statistics,
  codeLength,
  input,
}: Pick<Head, 'backbone' | 'taps' | 'statistics' | 'codeLength' | 'input'>): CodeSpace {
  return {
    weightsSha256: backbone.weightsSha256,
    taps,
    codeLength,
    ...(statistics === undefined ? {} : { statistics }),
    ...(input === undefined ? {} : { input }),
  };
}

/**
 * @param plan of the backbone in its own size. @param input how images reach it; as in old head files where absent.
 * @returns the space of the codes that a backbone computes, from all its taps.
 */
export function spaceOfPlan(plan: Plan, input?: PictureInput): CodeSpace {
  const space = {
    weightsSha256: plan.weightsSha256,
    taps: plan.taps.map((tap) => tap.name),
    statistics: plan.taps.map((tap) => tap.statistic ?? 'mean'),
    codeLength: codeLength(plan),
  };
  return shortest(input === undefined ? space : { ...space, input }, plan);
}

/**
 * @param plan of the space's backbone, in its own size.
 * @returns the same space as `spaceOfPlan` writes it. Equal spaces then have equal fields.
 */
export function shortest({ statistics, input, ...space }: CodeSpace, plan: Plan): CodeSpace {
  const own = sameInput(input, { height: plan.input.height, width: plan.input.width, rules: 1 });
  const onlyMeans = statistics?.every((statistic) => statistic === 'mean') ?? true;
  return {
    weightsSha256: space.weightsSha256,
    taps: space.taps,
    codeLength: space.codeLength,
    ...(onlyMeans ? {} : { statistics }),
    ...(input === undefined || own ? {} : { input }),
  };
}

/** @returns a space as text for people: the length of its codes, their taps and the images they are computed from. */
export function spaceInWords(space: CodeSpace): string {
  const { taps, codeLength: length, input } = space;
  const deviations = statisticsOf(space).filter((statistic) => statistic === 'deviation').length;
  const spread = deviations === 0 ? '' : `, ${deviations} of them deviations,`;
  const pictures =
    input === undefined
      ? "the backbone's own size, pixel rules 1"
      : `${input.height}×${input.width} pixels, pixel rules ${input.rules}`;
  return `${length} numbers from ${taps.length} ${taps.length === 1 ? 'tap' : 'taps'}${spread} at ${pictures}`;
}

/** Whether codes of one space can be used in the place of the other's. */
export function sameSpace(a: CodeSpace, b: CodeSpace): boolean {
  return (
    a.weightsSha256 === b.weightsSha256 &&
    a.codeLength === b.codeLength &&
    sameList(a.taps, b.taps) &&
    sameList(statisticsOf(a), statisticsOf(b)) &&
    sameInput(a.input, b.input)
  );
}

function statisticsOf({ taps, statistics }: CodeSpace): readonly Statistic[] {
  return statistics ?? taps.map(() => 'mean');
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
