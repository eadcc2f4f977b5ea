/**
 * Runs plans on our own WebAssembly SIMD kernels: everything that can be known beforehand, shapes,
 * padding, order of weights, the place of every map, is settled when the engine is made. docs/engine.md explains it.
 */
import type { Engine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import type { Compiled, CompileOptions } from './compile.ts';
import { compile } from './compile.ts';
import type { Image } from './program.ts';
import { END } from './sizes.ts';

export interface SimdEngine extends Engine {
  /** Size of the engine's WebAssembly memory; it never grows. */
  readonly memoryBytes: number;
}

export interface SimdOptions extends Omit<CompileOptions, 'keepMaps'> {
  /** The most memory the engine may take. */
  readonly memoryLimitBytes?: number;
}

/** Half of a Worker's 128 MB: the other half is the host's. */
const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * @param backbone its tensors are copied; nothing of it but the plan is held on to.
 * @param module build/wasm/engine.wasm, or engine-relaxed.wasm where the host has relaxed SIMD; compiled by the host.
 * @throws HeadwaterError `backbone_invalid` when it needs more memory than allowed; nothing has been allocated then.
 */
export function createSimdEngine(
  backbone: Backbone,
  module: WebAssembly.Module,
  options: SimdOptions = {},
): SimdEngine {
  // The program holds on to the tensors; what `codes` needs does not.
  const { program, pixels: place, taps } = compile(backbone, options);
  const image = program.layOut(options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES);
  const { run, relaxed } = instantiate(module, image);
  const { memory, start } = image;
  const { codeLength } = backbone;
  const { height, width, channels } = backbone.plan.input;
  const pictureBytes = height * width * channels;
  return {
    name: `simd${options.bits ?? 32}${relaxed ? '-relaxed' : ''}`,
    codeLength,
    memoryBytes: memory.buffer.byteLength,
    codes(pixels) {
      const pictures = pixels.length / pictureBytes;
      if (!Number.isInteger(pictures)) {
        throw new RangeError(
          `${pixels.length} bytes are no whole number of ${height}×${width}×${channels} pictures.`,
        );
      }
      const codes = new Float32Array(pictures * codeLength);
      for (let i = 0; i < pictures; i++) {
        const picture = pixels.subarray(i * pictureBytes, (i + 1) * pictureBytes);
        new Uint8Array(memory.buffer).set(picture, place.address);
        run(start);
        readTaps(taps, memory, codes.subarray(i * codeLength));
      }
      return codes;
    },
  };
}

/**
 * The engine on a program's memory, with the program's kernels where its steps look for them.
 * @throws TypeError for a module that is not the engine.
 */
export function instantiate(
  module: WebAssembly.Module,
  { memory, kernels }: Image,
): { readonly run: (step: number) => void; readonly relaxed: boolean } {
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: END + 1 + kernels.length });
  const { run, relaxed, ...others } = new WebAssembly.Instance(module, { env: { memory, table } }).exports;
  const isEngine = isProcedure(run) && relaxed instanceof WebAssembly.Global;
  if (!isEngine || !kernels.every((name) => isProcedure(others[name]))) {
    throw new TypeError('The module is not the engine; hand in build/wasm/engine.wasm.');
  }
  for (const [index, name] of kernels.entries()) table.set(END + 1 + index, others[name]);
  return { run, relaxed: relaxed.value === 1 };
}

function readTaps(taps: Compiled['taps'], memory: WebAssembly.Memory, out: Float32Array): void {
  let offset = 0;
  for (const { region, channels } of taps) {
    out.set(new Float32Array(memory.buffer, region.address, channels), offset);
    offset += channels;
  }
}

function isProcedure(value: unknown): value is (argument: number) => void {
  return typeof value === 'function';
}
