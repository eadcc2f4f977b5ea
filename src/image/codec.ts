/**
 * Keeps one WASM codec instance warm. A codec that failed in the middle of a picture is in an unknown state (none of
 * them can unwind), and WASM memory never shrinks: in both cases the instance is dropped and the next picture gets a
 * fresh one, which takes a millisecond or two.
 */
import { MAX_IDLE_GROWTH_BYTES } from './limits.ts';

export class CodecSlot<T extends { readonly memory: WebAssembly.Memory }> {
  readonly #create: () => T;
  #idle: T | undefined;
  #startBytes = 0;
  #peakBytes = 0;

  constructor(create: () => T) {
    this.#create = create;
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

  /** The same for a task that pauses: whoever comes meanwhile gets another instance. */
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
    if (codec.memory.buffer.byteLength - this.#startBytes <= MAX_IDLE_GROWTH_BYTES) this.#idle = codec;
  }

  #fresh(): T {
    const codec = this.#create();
    this.#startBytes = codec.memory.buffer.byteLength;
    return codec;
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
