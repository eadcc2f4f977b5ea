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
  return new CompiledEngine(backbone, module, options);
}

class CompiledEngine implements SimdEngine {
  readonly name: string;
  readonly codeLength: number;
  readonly memoryBytes: number;
  readonly #compiled: Pick<Compiled, 'pixels' | 'taps'>;
  readonly #memory: WebAssembly.Memory;
  readonly #run: () => void;
  readonly #picture: { readonly height: number; readonly width: number; readonly channels: number };

  constructor(backbone: Backbone, module: WebAssembly.Module, options: SimdOptions) {
    const { program, pixels, taps } = compile(backbone, options);
    const { memory, start } = program.layOut(options.memoryLimitBytes ?? MEMORY_LIMIT_BYTES);
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    const { run, relaxed } = instance.exports;
    if (!isProcedure(run) || !(relaxed instanceof WebAssembly.Global)) {
      throw new TypeError('The module is not the engine; hand in build/wasm/engine.wasm.');
    }
    this.name = `simd${options.bits ?? 32}${relaxed.value === 1 ? '-relaxed' : ''}`;
    this.codeLength = backbone.codeLength;
    this.memoryBytes = memory.buffer.byteLength;
    this.#compiled = { pixels, taps };
    this.#memory = memory;
    this.#run = () => run(start);
    this.#picture = backbone.plan.input;
  }

  codes(pixels: Uint8Array): Float32Array {
    const { height, width, channels } = this.#picture;
    const pictureBytes = height * width * channels;
    const pictures = pixels.length / pictureBytes;
    if (!Number.isInteger(pictures)) {
      throw new RangeError(
        `${pixels.length} bytes are no whole number of ${height}×${width}×${channels} pictures.`,
      );
    }
    const codes = new Float32Array(pictures * this.codeLength);
    const memory = new Uint8Array(this.#memory.buffer);
    let offset = 0;
    for (let picture = 0; picture < pictures; picture++) {
      memory.set(
        pixels.subarray(picture * pictureBytes, (picture + 1) * pictureBytes),
        this.#compiled.pixels.address,
      );
      this.#run();
      for (const { region, channels } of this.#compiled.taps) {
        codes.set(new Float32Array(this.#memory.buffer, region.address, channels), offset);
        offset += channels;
      }
    }
    return codes;
  }
}

function isProcedure(value: unknown): value is (argument: number) => void {
  return typeof value === 'function';
}
