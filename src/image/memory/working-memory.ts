/**
 * One memory in which libjpeg-turbo and libwebp work in turns: neither pauses, so that only one is at work. WASM memory never
 * shrinks, and a memory for each would come to twice the largest picture.
 *
 * Each finds it as it was when it was new, whatever came before: memory and stack pointer are all the state that their modules
 * have. scripts/build/codecs.ts changes these modules so that their allocators ask here where their heap ends; by themselves
 * they go by the size of the memory, and would take none of what it had grown for the picture before.
 */
import type { Codec } from './codec-pool.ts';
import { MAX_WORKING_BYTES } from '../limits.ts';

export const PAGE_BYTES = 65_536;
/** Static data and stack of either module, and the beginning of its heap. */
export const STATIC_PAGES = 2;
/** Nearly all of a new library's memory is zeros. So many of them in a row end a part of what is kept. */
const PARTING_ZEROS = 1_024;

interface Part {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** What lies in a memory, but for zeros. */
export interface Snapshot {
  readonly pages: number;
  readonly parts: readonly Part[];
}

export class WorkingMemory implements Codec {
  readonly memory = new WebAssembly.Memory({
    initial: STATIC_PAGES,
    maximum: MAX_WORKING_BYTES / PAGE_BYTES,
  });
  /** What the changed modules import. */
  readonly imports = {
    memory: this.memory,
    heap_pages: () => this.#pages,
    grow_heap: (more: number) => {
      const before = this.#pages;
      return this.growTo((before + more) * PAGE_BYTES) ? before : -1;
    },
  };
  /** What the library at work has; beyond it all is zero. */
  #pages = STATIC_PAGES;
  #exhausted = false;

  /** Whether more was asked for than there may be. */
  get exhausted(): boolean {
    return this.#exhausted;
  }

  /** Gives the library at work as many bytes, rounded up to pages. @returns false where that is more than it may have. */
  growTo(bytes: number): boolean {
    if (bytes > MAX_WORKING_BYTES) {
      this.#exhausted = true;
      return false;
    }
    const pages = Math.ceil(bytes / PAGE_BYTES);
    const missing = pages - this.memory.buffer.byteLength / PAGE_BYTES;
    if (missing > 0) this.memory.grow(missing);
    this.#pages = Math.max(this.#pages, pages);
    return true;
  }

  /** Makes it a new memory. Costs as much as was used since the last time, however large it is. */
  clear(): void {
    this.#used().fill(0);
    this.#pages = STATIC_PAGES;
    this.#exhausted = false;
  }

  snapshot(): Snapshot {
    return { pages: this.#pages, parts: nonzeroParts(this.#used()) };
  }

  /** Brings back what was here. */
  restore({ pages, parts }: Snapshot): void {
    this.clear();
    this.#pages = pages;
    const bytes = this.#used();
    for (const part of parts) bytes.set(part.bytes, part.at);
  }

  #used(): Uint8Array {
    return new Uint8Array(this.memory.buffer, 0, this.#pages * PAGE_BYTES);
  }
}

/** @returns copies of all that isn't zeros. */
function nonzeroParts(memory: Uint8Array): Part[] {
  const parts: Part[] = [];
  let start = -1;
  let end = -1;
  const keep = (): void => {
    if (start >= 0) parts.push({ at: start, bytes: memory.slice(start, end) });
  };
  for (let at = 0; at < memory.length; at++) {
    if (memory[at] === 0) continue;
    if (start < 0 || at - end >= PARTING_ZEROS) {
      keep();
      start = at;
    }
    end = at + 1;
  }
  keep();
  return parts;
}
