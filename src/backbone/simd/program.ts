/**
 * A program for the engine, and its image in memory: constants (packed weights, tables), scratch regions that share an
 * arena by lifetime, and steps whose words are numbers or places in those regions. Sizes are known before anything is
 * allocated.
 */
import { HeadwaterError } from '../../errors.ts';
import { align, planArena } from './arena.ts';
import { END, STEP_WORDS } from './sizes.ts';

/** A stretch of the engine's memory; its address is known once the program is laid out. */
export interface Region {
  readonly bytes: number;
  address: number;
}

export interface Place {
  readonly region: Region;
  readonly offset: number;
}

/** One word of a step: a number, or the address of a place. */
export type Word = number | Region | Place;

/** A step's kernel by name, and the other words in the order of the kernel's class, grouped as one likes. */
export type StepWords = readonly [kernel: string, ...words: (readonly Word[])[]];

/** Describes a step to the program that it will be part of, and lays down there what the kernel reads besides maps. */
export type Step = (program: Program) => StepWords;

export interface Image {
  /** Its pages are all that the program will ever need. */
  readonly memory: WebAssembly.Memory;
  /** The address of the first step. */
  readonly start: number;
  /** The kernels by name, in the order of the numbers that steps know them by, which begin with END + 1. */
  readonly kernels: readonly string[];
}

interface Constant extends Region {
  /** Writes the contents. Views span the region; larger ones than written to are zero. */
  readonly fill: (floats: Float32Array, integers: Int32Array) => void;
}

interface Scratch extends Region {
  first: number;
  last: number;
}

const STEP_BYTES = STEP_WORDS * 4;
const PAGE_BYTES = 65_536;
/** The first page's beginning holds the kernels' own constants. */
const RESERVED_BYTES = 2048;

export class Program {
  readonly #constants: Constant[] = [];
  readonly #scratch = new Set<Scratch>();
  readonly #tables = new Map<string, Region>();
  readonly #kernels: string[] = [];
  readonly #steps: Word[][] = [];

  /** Memory whose contents never change, written once, when all regions have their addresses. */
  constant(bytes: number, fill: Constant['fill'] = () => {}): Region {
    const constant = { bytes: align(bytes), address: 0, fill };
    this.#constants.push(constant);
    return constant;
  }

  /** A table of integers; those who name the same one share it. */
  table(name: string, length: number, fill: (integers: Int32Array) => void): Region {
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const table = this.constant(length * 4, (_, integers) => fill(integers));
    this.#tables.set(name, table);
    return table;
  }

  /** Memory that lives from the first to the last step whose words name it. @param first of those, where it is known. */
  scratch(bytes: number, first = Infinity): Region {
    const scratch = { bytes, address: 0, first, last: -Infinity };
    this.#scratch.add(scratch);
    return scratch;
  }

  /** Keeps a region to the last step, as a result is. */
  keep(region: Region): void {
    for (const scratch of this.#scratch) if (scratch === region) scratch.last = Infinity;
  }

  /** Appends a step. */
  step(step: Step): void {
    this.#steps.push(this.#words(step(this)));
  }

  /** A step for another step to run; add it just before that one. @returns where it lies. */
  nested(step: Step): Region {
    const words = this.#words(step(this));
    return this.constant(STEP_BYTES, (_, integers) => integers.set(words.map(resolve)));
  }

  /**
   * Gives every region its address and writes the image.
   * @param limitBytes the most memory that the program may take.
   * @throws HeadwaterError `backbone_invalid` when it needs more; nothing has been allocated then.
   */
  layOut(limitBytes: number): Image {
    const start = RESERVED_BYTES;
    const bytes = this.#place(start);
    if (bytes > limitBytes) {
      throw new HeadwaterError(
        'backbone_invalid',
        `The backbone needs ${bytes} bytes of memory to run where ${limitBytes} are allowed; take a smaller one.`,
      );
    }
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    for (const { address, bytes, fill } of this.#constants) {
      fill(
        new Float32Array(memory.buffer, address, bytes / 4),
        new Int32Array(memory.buffer, address, bytes / 4),
      );
    }
    const words = new Int32Array(memory.buffer);
    let at = start / 4;
    for (const step of [...this.#steps, [END]]) {
      words.set(step.map(resolve), at);
      at += STEP_WORDS;
    }
    return { memory, start, kernels: this.#kernels };
  }

  /** @returns the end of the last region. */
  #place(start: number): number {
    let end = start + (this.#steps.length + 1) * STEP_BYTES;
    for (const constant of this.#constants) {
      constant.address = end;
      end += constant.bytes;
    }
    const scratch = [...this.#scratch];
    const { offsets, bytes } = planArena(scratch);
    for (const [index, region] of scratch.entries()) region.address = end + offsets[index];
    return end + bytes;
  }

  /** A step's words; the scratch regions among them are in use at it. */
  #words([kernel, ...groups]: StepWords): Word[] {
    if (!this.#kernels.includes(kernel)) this.#kernels.push(kernel);
    const words = [END + 1 + this.#kernels.indexOf(kernel), ...groups.flat()];
    if (words.length > STEP_WORDS) throw new RangeError(`a step of ${words.length} words`);
    const index = this.#steps.length;
    const named = new Set(words.map((word) => (typeof word === 'number' ? word : regionOf(word))));
    for (const scratch of this.#scratch) {
      if (!named.has(scratch)) continue;
      scratch.first = Math.min(scratch.first, index);
      scratch.last = Math.max(scratch.last, index);
    }
    return words;
  }
}

function regionOf(word: Region | Place): Region {
  return 'region' in word ? word.region : word;
}

function resolve(word: Word): number {
  return typeof word === 'number' ? word : regionOf(word).address + ('offset' in word ? word.offset : 0);
}
