import type { Size } from './at-size.ts';
import type { Tail } from './tail.ts';

/** Runs a plan. Engines differ in speed and in nothing else. */
export interface Engine {
  /** For example 'tfjs-wasm'. */
  readonly name: string;
  /** D, the length of one CNN code. */
  readonly codeLength: number;
  /**
   * CNN codes of a batch of pictures.
   * @param pixels n pictures of height × width × channels bytes, row by row, channels last.
   * @param size of the pictures, one that the plan allows; the plan's own where absent.
   * @returns n × D numbers, one code after the other; a fresh array.
   * @throws RangeError when the length is no whole number of pictures; HeadwaterError as `backboneAt`.
   */
  codes(pixels: Uint8Array, size?: Size): Float32Array;
}

/** An engine whose feature maps can be read. */
export interface MapEngine extends Engine {
  /**
   * CNN codes and some steps' feature maps in one pass over the network.
   * @param pixels as for `codes`.
   * @param steps names of steps. 'input' is no step: a tail of the whole network reads the pixels.
   * @returns codes as `codes` would, and by step n × height × width × channels numbers, channels last; fresh arrays.
   * @throws RangeError when the length is no whole number of pictures, or the plan has no such step.
   */
  codesAndMaps(
    pixels: Uint8Array,
    steps: readonly string[],
    size?: Size,
  ): { readonly codes: Float32Array; readonly maps: ReadonlyMap<string, Float32Array> };
}

/** An engine that runs tails from its maps: the trunk once, then every head's tail. */
export interface TailedEngine extends MapEngine {
  /**
   * Prepares a tail to run. It runs like a plan of its own, but its input is a feature map in single precision, or the
   * pixels where it is the whole network. The backbone is the engine's own.
   * @param size of the pictures that the tail is to read, as for `codes`.
   * @throws HeadwaterError `backbone_mismatch` when the tail does not fit the backbone.
   */
  createTail(tail: Tail, size?: Size): TailEngine;
}

export interface TailEngine {
  /** Numbers of the taps behind the cut. */
  readonly codeLength: number;
  /** Memory that it holds, for caches that are bounded in bytes. */
  readonly bytes: number;
  /**
   * The part of the CNN code that lies behind the cut.
   * @param input n maps of the step that the tail reads, as `codesAndMaps` gives them, or n pictures' pixels where the
   *   tail is the whole network.
   * @returns n × codeLength numbers; a fresh array.
   */
  codes(input: Float32Array | Uint8Array): Float32Array;
  /** Gives the memory back. The tail is of no use afterwards. */
  dispose(): void;
}
