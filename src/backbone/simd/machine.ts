/**
 * The kernels on a WebAssembly memory, and the programs in it. They share what they have in common, packed weights
 * above all, and, because one runs at a time, the room for their maps:
 *
 *     [the kernels' own constants][constants and steps of the first program][of the second] … [arena]
 *
 * A further program is laid where the arena was, which moves up and grows to what the largest program needs.
 */
import { HeadwaterError } from '../../errors.ts';
import { align } from './arena.ts';
import { resolve, STEP_BYTES, type Parts, type Program, type Workshop } from './program.ts';

/** A program in the memory of a machine. */
export interface Loaded {
  /** Runs some of its steps, all where none are named. @param from the first. @param to the one after the last. */
  run(from?: number, to?: number): void;
}

const PAGE_BYTES = 65_536;
/** The first page's beginning holds the kernels' own constants. */
const RESERVED_BYTES = 2048;

export class Machine {
  /** Whether the kernels use relaxed SIMD. */
  readonly relaxed: boolean;
  readonly #memory: WebAssembly.Memory;
  readonly #limitBytes: number;
  readonly #run: (from: number, to: number) => void;
  /** The kernels' places in the table, by name. */
  readonly #kernels: ReadonlyMap<string, number>;
  /** Addresses of the shared constants, by name. */
  readonly #shared = new Map<string, number>();
  readonly #loaded: Pick<Parts, 'code' | 'placeArena'>[] = [];
  /** Where the arena begins. */
  #arena = align(RESERVED_BYTES);
  #arenaBytes = 0;

  /**
   * @param module build/wasm/engine.wasm or engine-relaxed.wasm.
   * @param limitBytes the most memory that the programs may take together.
   * @throws TypeError for a module that is not the engine.
   */
  constructor(module: WebAssembly.Module, limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.#memory = new WebAssembly.Memory({ initial: 1, maximum: Math.ceil(limitBytes / PAGE_BYTES) });
    // The module wants a table of one place at least, which stays empty.
    const table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });
    const env = { memory: this.#memory, table };
    const { run, relaxed, ...others } = new WebAssembly.Instance(module, { env }).exports;
    if (!isRun(run) || !(relaxed instanceof WebAssembly.Global)) {
      throw new TypeError('The module is not the engine; hand in build/wasm/engine.wasm.');
    }
    this.#run = run;
    this.relaxed = relaxed.value === 1;
    const kernels = Object.entries(others).filter(([, kernel]) => typeof kernel === 'function');
    this.#kernels = new Map(kernels.map(([name, kernel]) => [name, table.grow(1, kernel)]));
  }

  /** What programs and maps lie in. It is another one after each `load`, which may let the memory grow. */
  get buffer(): ArrayBuffer {
    return this.#memory.buffer;
  }

  /**
   * Gives every region of the program its address and writes its constants and steps.
   * @throws HeadwaterError `backbone_invalid` when there is not memory enough; nothing has changed then.
   */
  load(program: Program): Loaded {
    const parts = program.parts();
    let end = this.#arena;
    const fresh = parts.constants.filter((constant) => {
      const known = constant.name === undefined ? undefined : this.#shared.get(constant.name);
      constant.address = known ?? end;
      if (known === undefined) end += constant.bytes;
      return known === undefined;
    });
    const workBytes = Math.max(...fresh.map((constant) => constant.workBytes));
    const arenaBytes = Math.max(this.#arenaBytes, parts.arenaBytes, align(workBytes) + STEP_BYTES);
    this.#growTo(end + arenaBytes);
    [this.#arena, this.#arenaBytes] = [end, arenaBytes];
    const workshop = this.#workshop(end, workBytes);
    for (const { name, address, bytes, fill } of fresh) {
      if (name !== undefined) this.#shared.set(name, address);
      const floats = new Float32Array(this.buffer, address, bytes / 4);
      fill(floats.fill(0), new Int32Array(this.buffer, address, bytes / 4), workshop);
    }
    // Not what constants are made from: the tensors are no longer needed.
    this.#loaded.push({ code: parts.code, placeArena: parts.placeArena });
    for (const each of this.#loaded) this.#link(each);
    const { address } = parts.steps;
    return {
      run: (from = 0, to = program.length) =>
        this.#run(address + from * STEP_BYTES, address + to * STEP_BYTES),
    };
  }

  /** In the arena, where no map has to last between runs. */
  #workshop(address: number, bytes: number): Workshop {
    const step = address + align(bytes);
    const run = (kernel: string, words: readonly number[]): void => {
      new Int32Array(this.buffer, step, words.length + 1).set([this.#kernelOf(kernel), ...words]);
      this.#run(step, step + STEP_BYTES);
    };
    return { address, run };
  }

  #growTo(bytes: number): void {
    if (bytes > this.#limitBytes) {
      throw new HeadwaterError(
        'backbone_invalid',
        `The backbone needs ${bytes} bytes of memory to run where ${this.#limitBytes} are allowed; take a smaller ` +
          'one, or smaller pictures.',
      );
    }
    const pages = Math.ceil((bytes - this.buffer.byteLength) / PAGE_BYTES);
    if (pages > 0) this.#memory.grow(pages);
  }

  /** Writes a program's steps, whose words follow the arena. */
  #link({ code, placeArena }: Pick<Parts, 'code' | 'placeArena'>): void {
    placeArena(this.#arena);
    const memory = new Int32Array(this.buffer);
    for (const { kernel, words, place } of code) {
      const at = resolve(place) / 4;
      memory[at] = this.#kernelOf(kernel);
      memory.set(words.map(resolve), at + 1);
    }
  }

  #kernelOf(name: string): number {
    const place = this.#kernels.get(name);
    if (place === undefined) throw new TypeError(`The module has no kernel '${name}'; build it anew.`);
    return place;
  }
}

function isRun(value: unknown): value is (from: number, to: number) => void {
  return typeof value === 'function';
}
