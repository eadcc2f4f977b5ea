/** What becomes of a plan: a program, and where the host finds its input, its code and its maps. */
import type { MapShape } from '../shapes.ts';
import type { FeatureMap } from './map.ts';
import type { Program, Region } from './program.ts';

export interface Compiled {
  readonly program: Program;
  /** What the first steps read: where one picture's bytes go before a run, or one map of numbers. */
  readonly input: { readonly shape: MapShape; readonly place: Region | FeatureMap };
  /** Where the taps' statistics lie after a run, in the plan's order. */
  readonly taps: readonly { readonly region: Region; readonly channels: number }[];
  /** The steps whose output exists, by name. */
  readonly outputs: ReadonlyMap<string, Output>;
}

export interface Output {
  readonly shape: MapShape;
  /** Fills `values`, height × width × channels, from the machine's memory. */
  readonly read: (buffer: ArrayBuffer, values: Float32Array) => void;
  /** How many of the program's steps have run when the map is whole. Later ones may overwrite it. */
  readonly after: number;
}

export interface CompileOptions {
  /** Of the numbers that convolutions multiply; depthwise ones and squeeze-and-excite stay in floats. */
  readonly bits?: 16 | 32;
  /** The map that the first steps read; the picture where absent. */
  readonly from?: string;
  /** Names of steps whose output has to exist. What is computed stays the same bits. */
  readonly written?: Iterable<string>;
}
