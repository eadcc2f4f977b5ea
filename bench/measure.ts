/**
 * Timing that a noisy machine cannot bend much: contenders take turns, each sample is short, medians are compared, and
 * the spread is shown beside them.
 */

export interface Contender {
  readonly name: string;
  /** Does the work `times` times over. */
  run(times: number): unknown;
  /**
   * The time of one sample in milliseconds, for work that runs elsewhere. Default: the wall clock around `run`.
   */
  sample?(times: number): Promise<number>;
}

export interface Timing {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly samples: number;
}

export interface Rounds {
  readonly rounds: number;
  /** How often each contender does its work in one sample. */
  readonly times: number;
}

/** @returns milliseconds for one piece of work, by the contender's name. */
export async function interleave(contenders: readonly Contender[], { rounds, times }: Rounds): Promise<Map<string, Timing>> {
  const samples = contenders.map((): number[] => []);
  for (const contender of contenders) await contender.run(times);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      // Each round starts with another contender, so that nobody always follows the same neighbour.
      const index = (turn + round) % contenders.length;
      samples[index].push((await sample(contenders[index], times)) / times);
    }
  }
  return new Map(contenders.map(({ name }, i) => [name, summarise(samples[i])]));
}

async function sample(contender: Contender, times: number): Promise<number> {
  if (contender.sample !== undefined) return await contender.sample(times);
  // Once unmeasured: what its neighbour left in the caches is not its fault.
  await contender.run(1);
  const start = performance.now();
  await contender.run(times);
  return performance.now() - start;
}

export function summarise(samples: readonly number[]): Timing {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (share: number): number => quantile(sorted, share);
  return { median: at(0.5), p10: at(0.1), p90: at(0.9), samples: sorted.length };
}

/** Linear interpolation between order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}
