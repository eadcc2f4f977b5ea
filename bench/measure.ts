/**
 * Timing that a noisy machine cannot bend much: contenders take turns, each sample is short, medians are compared, and
 * the spread is shown beside them. CPU time is kept apart from the wall clock's: neighbours don't lengthen it.
 */

export interface Sample {
  /** Milliseconds by the clock. */
  readonly wall: number;
  /** Milliseconds of CPU, of all threads; undefined where the system does not tell. */
  readonly cpu: number | undefined;
}

export interface Contender {
  readonly name: string;
  /** Does the work `times` times over and says how long all of it took. */
  sample(times: number): Promise<Sample>;
}

export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly samples: number;
}

/** Of one piece of work, in milliseconds. */
export interface Timing {
  readonly wall: Spread;
  readonly cpu?: Spread;
}

export interface Rounds {
  readonly rounds: number;
  /** How often each contender does its work in one sample. */
  readonly times: number;
}

/** @returns each contender's timing by its name. */
export async function interleave(
  contenders: readonly Contender[],
  { rounds, times }: Rounds,
): Promise<Map<string, Timing>> {
  const samples = contenders.map((): Sample[] => []);
  for (const contender of contenders) await contender.sample(times);
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      // Each round starts with another contender, so that nobody always follows the same neighbour.
      const index = (turn + round) % contenders.length;
      const { wall, cpu } = await contenders[index].sample(times);
      samples[index].push({ wall: wall / times, cpu: cpu === undefined ? undefined : cpu / times });
    }
  }
  return new Map(contenders.map(({ name }, i) => [name, timing(samples[i])]));
}

function timing(samples: readonly Sample[]): Timing {
  const cpu = samples.flatMap((sample) => sample.cpu ?? []);
  const wall = summarise(samples.map((sample) => sample.wall));
  return cpu.length === 0 ? { wall } : { wall, cpu: summarise(cpu) };
}

/** What the clock and `cpuMs` say of some work: CPU of another process, where the system tells it. */
export async function sampleOf(
  work: () => Promise<unknown>,
  cpuMs: () => number | undefined,
): Promise<Sample> {
  const cpu = cpuMs();
  const start = performance.now();
  await work();
  const wall = performance.now() - start;
  return { wall, cpu: less(cpuMs(), cpu) };
}

/** Both of them less those of a sample in which nothing was done. */
export function lessIdle(busy: Sample, idle: Sample): Sample {
  return { wall: busy.wall - idle.wall, cpu: less(busy.cpu, idle.cpu) };
}

function less(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}

/** The first request of an isolate, and the median of those around the hundredth. @param ask one request. @returns ms. */
export async function firstAndHundredth(
  ask: () => Promise<number>,
): Promise<{ firstMs: number; hundredthMs: number }> {
  const firstMs = await ask();
  for (let i = 2; i < 95; i++) await ask();
  const around: number[] = [];
  for (let i = 0; i < 11; i++) around.push(await ask());
  return { firstMs, hundredthMs: summarise(around).median };
}

/** Work in this process. It is done once unmeasured: what its neighbour left in the caches is not its fault. */
export function local(name: string, work: () => unknown): Contender {
  return {
    name,
    async sample(times) {
      await work();
      const cpu = process.cpuUsage();
      const start = performance.now();
      for (let i = 0; i < times; i++) await work();
      const wall = performance.now() - start;
      const used = process.cpuUsage(cpu);
      return { wall, cpu: (used.user + used.system) / 1000 };
    },
  };
}

export function summarise(samples: readonly number[]): Spread {
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
