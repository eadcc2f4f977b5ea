/**
 * A program for the engine: constants (packed weights, tables), scratch regions that share an arena by lifetime, and
 * steps whose words are numbers or places in those regions. It is a description; a machine loads it into its memory.
 */
import { align, planArena } from './arena.ts';
import { STEP_WORDS } from './sizes.ts';

/** A stretch of the machine's memory; its address is known once the program is loaded. */
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

/** Writes a constant. Views span the region, which is zero. */
export type Fill = (floats: Float32Array, integers: Int32Array, workshop: Workshop) => void;

/** Where constants are made: kernels can be run, on as many bytes of memory as the constant needs. */
export interface Workshop {
  /** The bytes' address, a multiple of 64. What lies there is anything. */
  readonly address: number;
  readonly run: (kernel: string, words: readonly number[]) => void;
}

export interface Constant extends Region {
  /** What it is; all programs of a machine share the constants of one name. */
  readonly name: string | undefined;
  readonly fill: Fill;
  /** Of the workshop. */
  readonly workBytes: number;
}

/** A step in memory: its kernel by name, the words that follow, and where it lies. */
export interface Code {
  readonly kernel: string;
  readonly words: readonly Word[];
  readonly place: Place;
}

interface Scratch extends Region {
  first: number;
  last: number;
}

export const STEP_BYTES = STEP_WORDS * 4;

export class Program {
  readonly #constants: Constant[] = [];
  readonly #named = new Map<string, Constant>();
  readonly #scratch = new Set<Scratch>();
  readonly #steps: Omit<Code, 'place'>[] = [];
  readonly #nested: Code[] = [];

  /** How many steps there are. */
  get length(): number {
    return this.#steps.length;
  }

  /** Memory of this program alone, written once, when it is loaded; what kernels change in it stays from run to run. */
  constant(bytes: number, fill: Fill = () => {}): Region {
    return this.#constant(undefined, bytes, fill);
  }

  /**
   * Memory whose contents never change: packed weights, tables.
   * @param name says what it holds. All who name the same share it, also in other programs of the machine.
   * @param workBytes memory that `fill` needs for a while.
   */
  shared(name: string, bytes: number, fill: Fill, workBytes = 0): Region {
    const constant = this.#named.get(name) ?? this.#constant(name, bytes, fill, workBytes);
    this.#named.set(name, constant);
    return constant;
  }

  /** A shared table of integers. */
  table(name: string, length: number, fill: (integers: Int32Array) => void): Region {
    return this.shared(name, length * 4, (_, integers) => fill(integers));
  }

  /** Memory that lives from the first to the last step whose words name it. */
  scratch(bytes: number): Region {
    const scratch = { bytes, address: 0, first: Infinity, last: -Infinity };
    this.#scratch.add(scratch);
    return scratch;
  }

  /** Lets the host read or write a region after the steps so far. */
  touch(region: Region): void {
    this.#use((scratch) => scratch === region, this.#steps.length - 1);
  }

  /** Keeps a region to the last step, as a result is. */
  keep(region: Region): void {
    this.#use((scratch) => scratch === region, Infinity);
  }

  /** Appends a step. */
  step(step: Step): void {
    this.#steps.push(this.#code(step(this)));
  }

  /** A step for another step to run; add it just before that one. @returns where it lies. */
  nested(step: Step): Region {
    const region = this.constant(STEP_BYTES);
    this.#nested.push({ ...this.#code(step(this)), place: { region, offset: 0 } });
    return region;
  }

  /** What a machine loads. */
  parts(): Parts {
    const bytes = align(this.#steps.length * STEP_BYTES);
    const steps = { name: undefined, bytes, address: 0, fill: () => {}, workBytes: 0 };
    const placed = this.#steps.map((step, i) => ({
      ...step,
      place: { region: steps, offset: i * STEP_BYTES },
    }));
    const scratch = [...this.#scratch].filter(({ first, last }) => first <= last);
    const { offsets, bytes: arenaBytes } = planArena(scratch);
    return {
      constants: [...this.#constants, steps],
      code: [...this.#nested, ...placed],
      steps,
      arenaBytes,
      placeArena(address) {
        for (const [i, region] of scratch.entries()) region.address = address + offsets[i];
      },
    };
  }

  #constant(name: string | undefined, bytes: number, fill: Fill, workBytes = 0): Constant {
    const constant = { name, bytes: align(bytes), address: 0, fill, workBytes };
    this.#constants.push(constant);
    return constant;
  }

  /** A step's words; the scratch regions among them are in use at it. */
  #code([kernel, ...groups]: StepWords): Omit<Code, 'place'> {
    const words = groups.flat();
    if (words.length >= STEP_WORDS) throw new RangeError(`a step of ${words.length + 1} words`);
    const named = new Set(words.map((word) => (typeof word === 'number' ? word : regionOf(word))));
    this.#use((scratch) => named.has(scratch), this.#steps.length);
    return { kernel, words };
  }

  #use(isMeant: (scratch: Scratch) => boolean, step: number): void {
    for (const scratch of this.#scratch) {
      if (!isMeant(scratch)) continue;
      scratch.first = Math.min(scratch.first, step);
      scratch.last = Math.max(scratch.last, step);
    }
  }
}

/** A program that is complete, to be loaded. */
export interface Parts {
  readonly constants: readonly Constant[];
  /** Every step, also nested ones, in a place of a constant. */
  readonly code: readonly Code[];
  /** The constant where the steps lie one after the other. */
  readonly steps: Region;
  readonly arenaBytes: number;
  /** Gives the scratch regions their addresses, in an arena that begins there. */
  readonly placeArena: (address: number) => void;
}

/** A word as kernels read it, once its region has an address. */
export function resolve(word: Word): number {
  return typeof word === 'number' ? word : regionOf(word).address + ('offset' in word ? word.offset : 0);
}

function regionOf(word: Region | Place): Region {
  return 'region' in word ? word.region : word;
}
