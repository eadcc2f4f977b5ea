/**
 * Runs plans on our own WebAssembly SIMD kernels: everything that can be known beforehand, shapes, padding, order of
 * weights, the place of every map, is fixed when a size's program is made. docs/engine.md explains it.
 */
import { backboneAt, type Size } from '../at-size.ts';
import { WHOLE } from '../cut.ts';
import type { TailedEngine, TailEngine } from '../engine.ts';
import type { Backbone } from '../load.ts';
import { tailOf, type Tail } from '../tail.ts';
import { compile } from './compile.ts';
import { Executable, type CodesAndMaps } from './executable.ts';
import { compileIntegers } from './integer/compile.ts';
import { Machine } from './machine.ts';

export interface SimdEngine extends TailedEngine {
  /** Size of the engine's WebAssembly memory. It grows when pictures of another size come for the first time. */
  readonly memoryBytes: number;
}

export interface SimdOptions {
  /**
   * Of the numbers that convolutions multiply. With 16 depthwise ones and squeeze-and-excite stay in floats; with 8, which
   * wants a backbone with ranges, everything is integers but the tails. Default: 32.
   */
  readonly bits?: 8 | 16 | 32;
  /** The size that is prepared at once; the others are with their first pictures. Default: the plan's own. */
  readonly size?: Size;
  /** The most memory the engine may take, and the most that each of its tails may. */
  readonly memoryLimitBytes?: number;
}

/** Half of a Worker's 128 MB: the other half is the host's. */
const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024;

/**
 * @param module build/wasm/engine.wasm, or engine-relaxed.wasm where the host has relaxed SIMD; compiled by the host.
 * @throws HeadwaterError `backbone_invalid` when it needs more memory than allowed, or can't run on 8 bits, `backbone_mismatch` as `backboneAt`.
 * @example
 * const backbone = loadBackbone(planJson, weights);
 * const engine = createSimdEngine(backbone, engineModule);
 * const codes = engine.codes(pixels); // one code of backbone.codeLength numbers for each image
 */
export function createSimdEngine(
  backbone: Backbone,
  module: WebAssembly.Module,
  options: SimdOptions = {},
): SimdEngine {
  return new WasmSimdEngine(backbone, module, options);
}

class WasmSimdEngine implements SimdEngine {
  readonly name: string;
  readonly codeLength: number;
  readonly #backbone: Backbone;
  readonly #module: WebAssembly.Module;
  readonly #bits: 8 | 16 | 32;
  readonly #memoryLimitBytes: number;
  /** Holds one packed copy of the weights. */
  readonly #machine: Machine;
  readonly #executables = new Map<string, Executable>();

  constructor(
    backbone: Backbone,
    module: WebAssembly.Module,
    { bits = 32, size, memoryLimitBytes = MEMORY_LIMIT_BYTES }: SimdOptions,
  ) {
    this.#backbone = backbone;
    this.#module = module;
    this.#bits = bits;
    this.#memoryLimitBytes = memoryLimitBytes;
    this.#machine = new Machine(module, memoryLimitBytes);
    this.name = `simd${bits}${this.#machine.relaxed ? '-relaxed' : ''}`;
    this.codeLength = backbone.codeLength;
    this.#executable(size);
  }

  get memoryBytes(): number {
    return this.#machine.buffer.byteLength;
  }

  codes(pixels: Uint8Array, size?: Size): Float32Array {
    return this.#executable(size).run(pixels).codes;
  }

  codesAndMaps(pixels: Uint8Array, steps: readonly string[], size?: Size): CodesAndMaps {
    for (const step of steps) {
      if (step === WHOLE || !this.#backbone.shapes.has(step)) {
        throw new RangeError(`The plan has no step '${step}'.`);
      }
    }
    const usual = this.#executable(size);
    // What the usual program leaves out on the way, another one writes.
    const missing = steps.filter((step) => !usual.has(step));
    return (missing.length === 0 ? usual : this.#executable(size, missing)).run(pixels, steps);
  }

  createTail(tail: Tail, size?: Size): TailEngine {
    const backbone = tailOf(backboneAt(this.#backbone, size), tail);
    // A memory of its own, which goes when the tail goes.
    const machine = new Machine(this.#module, this.#memoryLimitBytes);
    let executable: Executable | undefined = new Executable(
      machine,
      // The map that an 8-bit trunk gives is one of floats.
      compile(backbone, { bits: this.#bits === 16 ? 16 : 32, from: tail.from }),
    );
    return {
      codeLength: backbone.codeLength,
      bytes: machine.buffer.byteLength,
      codes(input) {
        if (executable === undefined) throw new Error('The tail has been disposed of.');
        return executable.run(input).codes;
      },
      dispose() {
        executable = undefined;
      },
    };
  }

  /** @param written steps that the program is to write besides those that it writes anyway. */
  #executable(size: Size = this.#backbone.plan.input, written: readonly string[] = []): Executable {
    const key = `${size.height}×${size.width} ${[...new Set(written)].sort().join(' ')}`;
    const known = this.#executables.get(key);
    if (known !== undefined) return known;
    const backbone = backboneAt(this.#backbone, size);
    const compiled =
      this.#bits === 8
        ? compileIntegers(backbone, { relaxed: this.#machine.relaxed, written })
        : compile(backbone, { bits: this.#bits, written });
    const made = new Executable(this.#machine, compiled);
    this.#executables.set(key, made);
    return made;
  }
}
