/** Runs a plan. Engines differ in speed and in nothing else. */
export interface Engine {
  /** For example 'tfjs-wasm'. */
  readonly name: string;
  /** D, the length of one CNN code. */
  readonly codeLength: number;
  /**
   * CNN codes of a batch of pictures.
   * @param pixels n pictures of height × width × channels bytes, row by row, channels last.
   * @returns n × D numbers, one code after the other; a fresh array.
   * @throws RangeError when the length is no whole number of pictures.
   */
  codes(pixels: Uint8Array): Float32Array;
}
