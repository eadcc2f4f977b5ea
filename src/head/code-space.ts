/**
 * A code space: all that decides what the numbers of a CNN code mean. Codes of different spaces can't be compared or
 * mixed, and a head reads those of its own only.
 */
import { codeLength, type Plan, type Statistic } from '../backbone/plan.ts';
import type { Head, PictureInput } from './head.ts';

/**
 * Weights, taps with their statistics, the input's size and the pixel rules. In the words of a head, whose files leave
 * out what was the only way once: absent statistics are means, an absent input is the backbone's own size by rules 1.
 */
export interface CodeSpace {
  readonly weightsSha256: string;
  /** Names in the order of the code. */
  readonly taps: readonly string[];
  readonly statistics?: readonly Statistic[];
  readonly codeLength: number;
  readonly input?: PictureInput;
}

/** @returns the space of the codes that a head reads. A tail's weights are part of it too: compare those apart. */
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
 * @param plan of the backbone in its own size. @param input how pictures reach it; as in files of old where absent.
 * @returns the space of the codes that a backbone makes: of all its taps.
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
 * @returns the same space as `spaceOfPlan` writes it: all of one space are alike.
 */
export function shortest({ statistics, input, ...space }: CodeSpace, plan: Plan): CodeSpace {
  const own = input?.height === plan.input.height && input.width === plan.input.width && input.rules === 1;
  const onlyMeans = statistics?.every((statistic) => statistic === 'mean') ?? true;
  return {
    weightsSha256: space.weightsSha256,
    taps: space.taps,
    codeLength: space.codeLength,
    ...(onlyMeans ? {} : { statistics }),
    ...(input === undefined || own ? {} : { input }),
  };
}

/** @returns what a person is told of a space: how long its codes are, of what taps and of what pictures. */
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

export function sameSpace(a: CodeSpace, b: CodeSpace): boolean {
  return (
    a.weightsSha256 === b.weightsSha256 &&
    a.codeLength === b.codeLength &&
    sameList(a.taps, b.taps) &&
    sameList(statisticsOf(a), statisticsOf(b)) &&
    a.input?.height === b.input?.height &&
    a.input?.width === b.input?.width &&
    (a.input?.rules ?? 1) === (b.input?.rules ?? 1)
  );
}

function statisticsOf({ taps, statistics }: CodeSpace): readonly Statistic[] {
  return statistics ?? taps.map(() => 'mean');
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
