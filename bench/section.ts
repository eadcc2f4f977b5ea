/** What every part of the benchmark takes and gives. */
import type { Spread, Timing } from './measure.ts';
import type { Network } from './networks.ts';
import type { JpegPicture } from './pictures.ts';

/** With the network that the parts are about which name no other. */
export interface Context extends Network {
  /** Fewer rounds: to see that everything runs, not to quote. */
  readonly quick: boolean;
  /** Progress, for a person. */
  readonly log: (line: string) => void;
  /** A photo as the backbone reads it. */
  readonly pixels: Uint8Array;
  readonly pictures: readonly [small: JpegPicture, large: JpegPicture];
}

export interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Goal {
  readonly what: string;
  /** The most that the measured value may be. */
  readonly atMost: number;
  readonly measured: number;
  /** After both numbers, such as 'MB'; ratios have none. */
  readonly unit?: string;
}

export interface Result {
  readonly tables: readonly Table[];
  /** What a reader must know to read the tables. */
  readonly notes: readonly string[];
  readonly goals?: readonly Goal[];
  /** The same for programs; milliseconds and bytes. Maps become objects. */
  readonly data: Readonly<Record<string, unknown>>;
}

export interface Section {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<Result>;
}

/** A part that cannot run here, with the reason. */
export function skipped(reason: string): Result {
  return { tables: [], notes: [`Not measured: ${reason}`], data: { skipped: reason } };
}

export function milliseconds(value: number): string {
  return value.toFixed(value < 10 ? 2 : 1);
}

export function spreadText(spread: Spread | undefined): string {
  if (spread === undefined) return '–';
  return `${milliseconds(spread.median)}  (${milliseconds(spread.p10)}–${milliseconds(spread.p90)})`;
}

/** @param value a fraction. */
export function percent(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

export function megabytes(bytes: number | undefined): string {
  return bytes === undefined ? '–' : (bytes / 1e6).toFixed(1);
}

/** Of a file: kilobytes, or megabytes from one on. */
export function sizeText(bytes: number): string {
  return bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${megabytes(bytes)} MB`;
}

/**
 * A row a contender: its times and their ratio to the baseline's.
 * @param more columns, with their cell of each contender.
 */
export function timingTable(
  timings: ReadonlyMap<string, Timing>,
  baseline: string,
  title = '',
  more: Readonly<Record<string, (name: string) => string>> = {},
): Table {
  const base = timings.get(baseline);
  const rows = Array.from(timings, ([name, { wall, cpu }]) => [
    name,
    spreadText(wall),
    ratioText(wall, base?.wall),
    spreadText(cpu),
    ratioText(cpu, base?.cpu),
    ...Object.values(more).map((cell) => cell(name)),
  ]);
  const of = `of ${baseline}`;
  return { columns: [title, 'ms (p10–p90)', of, 'CPU ms (p10–p90)', of, ...Object.keys(more)], rows };
}

function ratioText(spread: Spread | undefined, base: Spread | undefined): string {
  return spread === undefined || base === undefined ? '–' : (spread.median / base.median).toFixed(3);
}
