/**
 * Keeps one WASM codec instance between pictures, and hands it to each of them as if it were new: C libraries keep
 * tables of the picture before (libjpeg its Huffman and quantisation tables), and their heap holds what lay there. With the
 * stack unwound (a call that returned), memory is a module's whole state, so that writing back what it was at first is
 * enough, and cheaper than a new instance.
 *
 * A codec that failed in the middle of a picture is in an unknown state (none of them can unwind), and WASM memory never
 * shrinks: in both cases the instance is dropped and the next picture gets a new one.
 */

/** Nearly all of a new instance's memory is zeros. So many of them in a row end a part of what is kept. */
const PARTING_ZEROS = 1_024;

interface KeptPart {
  readonly at: number;
  readonly bytes: Uint8Array;
}

export interface Codec {
  readonly memory: WebAssembly.Memory;
  /** @returns how much of the memory, from its start, may hold something that the next picture must not see. */
  readonly usedBytes: () => number;
}

export class CodecSlot<T extends Codec> {
  readonly #create: () => T;
  readonly #maxGrowthBytes: number;
  #idle: T | undefined;
  #startBytes = 0;
  #startParts: readonly KeptPart[] | undefined;
  #peakBytes = 0;

  /**
   * @param create makes instances of one module, always in the same way.
   * @param maxGrowthBytes an instance whose memory has grown by more is dropped: 0 where the module's allocator would
   *   forget memory that it got since.
   */
  constructor(create: () => T, maxGrowthBytes: number) {
    this.#create = create;
    this.#maxGrowthBytes = maxGrowthBytes;
  }

  /** Runs `task` on an instance; an error it throws passes through. */
  use<R>(task: (codec: T) => R): R {
    const codec = this.#take();
    try {
      const result = task(codec);
      this.#giveBack(codec);
      return result;
    } finally {
      this.#peakBytes = Math.max(this.#peakBytes, codec.memory.buffer.byteLength);
    }
  }

  /** The same for a task that pauses: a picture that comes meanwhile gets another instance. */
  async hold<R>(task: (codec: T) => Promise<R>): Promise<R> {
    const codec = this.#take();
    try {
      const result = await task(codec);
      this.#giveBack(codec);
      return result;
    } finally {
      this.#peakBytes = Math.max(this.#peakBytes, codec.memory.buffer.byteLength);
    }
  }

  #take(): T {
    const codec = this.#idle ?? this.#fresh();
    this.#idle = undefined;
    return codec;
  }

  #giveBack(codec: T): void {
    if (codec.memory.buffer.byteLength - this.#startBytes > this.#maxGrowthBytes) return;
    this.#reset(codec);
    this.#idle = codec;
  }

  #fresh(): T {
    const codec = this.#create();
    this.#startBytes = codec.memory.buffer.byteLength;
    this.#startParts ??= nonzeroParts(new Uint8Array(codec.memory.buffer, 0, codec.usedBytes()));
    return codec;
  }

  #reset(codec: T): void {
    const memory = new Uint8Array(codec.memory.buffer);
    memory.fill(0, 0, codec.usedBytes());
    for (const part of this.#startParts ?? []) memory.set(part.bytes, part.at);
  }

  /** @returns bytes of WASM memory of the instance that is kept, 0 if none. */
  memoryBytes(): number {
    return this.#idle?.memory.buffer.byteLength ?? 0;
  }

  /** @returns the most bytes of WASM memory that an instance has had so far. */
  peakMemoryBytes(): number {
    return this.#peakBytes;
  }
}

/** @returns copies of all that isn't zeros. */
function nonzeroParts(memory: Uint8Array): KeptPart[] {
  const parts: KeptPart[] = [];
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

/** @returns the export, or throws a TypeError that names the missing one (the host handed in another module). */
export function exported(instance: WebAssembly.Instance, name: string): (...args: number[]) => number {
  const value = instance.exports[name];
  if (!isNumeric(value)) throw new TypeError(`The codec module has no function ${name}`);
  return value;
}

/** @returns the exported memory, or throws a TypeError. */
export function exportedMemory(instance: WebAssembly.Instance, name: string): WebAssembly.Memory {
  const value = instance.exports[name];
  if (!(value instanceof WebAssembly.Memory)) throw new TypeError(`The codec module has no memory ${name}`);
  return value;
}

function isNumeric(value: unknown): value is (...args: number[]) => number {
  return typeof value === 'function';
}
