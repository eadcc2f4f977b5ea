/**
 * Runs plans on our own WebAssembly SIMD kernels (src/wasm/engine): everything that can be known beforehand, shapes,
 * padding, order of weights, the place of every map, is settled when the engine is made. docs/engine.md explains it.
 */
import type { Engine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import type { Compiled, CompileOptions } from './compile.ts';
import { compile } from './compile.ts';

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
  const { memory, start } = program.layOut(options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES);
  const { run, relaxed } = new WebAssembly.Instance(module, { env: { memory } }).exports;
  if (!isProcedure(run) || !(relaxed instanceof WebAssembly.Global)) {
    throw new TypeError('The module is not the engine; hand in build/wasm/engine.wasm.');
  }
  const { codeLength } = backbone;
  const { height, width, channels } = backbone.plan.input;
  const pictureBytes = height * width * channels;
  return {
    name: `simd${options.bits ?? 32}${relaxed.value === 1 ? '-relaxed' : ''}`,
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
