/**
 * A C library's module in a working memory. Each picture finds it as if it were the first: such libraries keep tables of the
 * picture before (libjpeg its Huffman and quantisation tables), and their heap holds what lay there. One that failed in the middle
 * of a picture has not put its stack pointer back, so that this is done here, too.
 */
import type { CodecPool } from './codec-pool.ts';
import type { Snapshot, WorkingMemory } from './working-memory.ts';

/** A global of the module. */
export interface StackPointer {
  value: number;
}

export interface LibraryCodec {
  readonly working: WorkingMemory;
  readonly stack: StackPointer;
}

interface Made<T> {
  readonly codec: T;
  readonly start: Snapshot;
  readonly stackStart: number;
}

export class Library<T extends LibraryCodec> {
  readonly #memories: CodecPool<WorkingMemory>;
  readonly #create: (working: WorkingMemory) => T;
  readonly #made = new WeakMap<WorkingMemory, Made<T>>();

  /** @param create makes an instance in a memory that is new. */
  constructor(memories: CodecPool<WorkingMemory>, create: (working: WorkingMemory) => T) {
    this.#memories = memories;
    this.#create = create;
  }

  /** Runs `task` on the library as it was when it was new; an error it throws passes through. */
  use<R>(task: (codec: T) => R): R {
    return this.#memories.use((working) => task(this.#asNew(working)));
  }

  #asNew(working: WorkingMemory): T {
    const made = this.#made.get(working);
    if (made !== undefined) {
      working.restore(made.start);
      made.codec.stack.value = made.stackStart;
      return made.codec;
    }
    working.clear();
    const codec = this.#create(working);
    this.#made.set(working, { codec, start: working.snapshot(), stackStart: codec.stack.value });
    return codec;
  }
}

/** @returns the exported stack pointer, or throws a TypeError: only modules of scripts/build/codecs.ts have it. */
export function exportedStack(instance: WebAssembly.Instance): StackPointer {
  const { stack } = instance.exports;
  if (!(stack instanceof WebAssembly.Global) || typeof stack.value !== 'number')
    throw new TypeError('The codec module has no stack pointer: it is not one of build/wasm');
  return stack;
}
