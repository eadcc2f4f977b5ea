/**
 * A program for the engine, and its image in memory: constants (packed weights, tables), scratch regions that share an
 * arena by lifetime, and steps whose words are numbers or places in those regions. Sizes are known before anything is
 * allocated.
 */
import { END, STEP_WORDS } from '../../wasm/engine/codes.ts';
import { HeadwaterError } from '../../errors.ts';
import { align, planArena } from './arena.ts';

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

/** A step's kind, from codes.ts, and its words in the order of the kernel's class, grouped as one likes. */
export type StepWords = readonly [code: number, ...words: (readonly Word[])[]];

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
  readonly #steps: Word[][] = [];
  /** Steps that other steps run: laid out after the end of the program. */
  readonly #nested: { region: Region; words: readonly Word[] }[] = [];

  /** Memory whose contents never change, written once. */
  constant(bytes: number, fill: Constant['fill'] = () => {}): Region {
    const constant = { bytes: align(bytes), address: 0, fill };
    this.#constants.push(constant);
    return constant;
  }

  /** Memory that lives from the first to the last step whose words name it. */
  scratch(bytes: number): Region {
    const scratch = { bytes, address: 0, first: Infinity, last: -Infinity };
    this.#scratch.add(scratch);
    return scratch;
  }

  /** Keeps a region from the first step on, as an input is, or to the last, as a result is. */
  keep(region: Region, from: 'start' | 'end'): void {
    for (const scratch of this.#scratch) {
      if (scratch !== region) continue;
      if (from === 'start') scratch.first = 0;
      else scratch.last = Infinity;
    }
  }

  /** Appends a step. */
  step(...step: StepWords): void {
    this.#steps.push(this.#words(step));
  }

  /** A step for another step to run; add it just before that one. @returns where it lies. */
  nested(...step: StepWords): Region {
    const region = { bytes: STEP_BYTES, address: 0 };
    this.#nested.push({ region, words: this.#words(step) });
    return region;
  }

  /**
   * Gives every region its address and writes the image.
   * @param limitBytes the most memory that the program may take.
   * @returns the memory, its pages all the program will ever need, and the address of the first step.
   * @throws HeadwaterError `backbone_invalid` when it needs more; nothing has been allocated then.
   */
  layOut(limitBytes: number): { memory: WebAssembly.Memory; start: number } {
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
    for (const step of [...this.#steps, [END], ...this.#nested.map((nested) => nested.words)]) {
      words.set(step.map(resolve), at);
      at += STEP_WORDS;
    }
    return { memory, start };
  }

  /** @returns the end of the last region. */
  #place(start: number): number {
    let end = start + (this.#steps.length + 1) * STEP_BYTES;
    for (const { region } of this.#nested) {
      region.address = end;
      end += STEP_BYTES;
    }
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
  #words([code, ...groups]: StepWords): Word[] {
    const words = [code, ...groups.flat()];
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
  if (typeof word === 'number') return word;
  return 'region' in word ? word.region.address + word.offset : word.address;
}
