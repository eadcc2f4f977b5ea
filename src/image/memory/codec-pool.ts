/**
 * Keeps WASM instances between pictures. No sequence of pictures makes more instances than were at work at once: V8 counts on
 * its garbage collector to free the memory of those that are dropped, and hundreds of MB may have piled up before that runs.
 */

export interface Codec {
  readonly memory: WebAssembly.Memory;
}

export class CodecPool<T extends Codec> {
  readonly #create: () => T;
  readonly #maxIdleBytes: number;
  readonly #idle: T[] = [];
  /** Beyond the bound: the garbage collector may take them, and until it does they are used again. */
  readonly #spare: WeakRef<T>[] = [];
  #peakBytes = 0;

  /**
   * @param create makes instances of one module, always in the same way; whoever uses one makes it ready, whatever the use before
   *   has left of it, also where that failed.
   * @param maxIdleBytes of memory that idle instances may keep from the garbage collector, all of them together.
   */
  constructor(create: () => T, maxIdleBytes: number) {
    this.#create = create;
    this.#maxIdleBytes = maxIdleBytes;
  }

  /** Runs `task` on an instance; an error it throws passes through. */
  use<R>(task: (codec: T) => R): R {
    const codec = this.#take();
    try {
      return task(codec);
    } finally {
      this.#giveBack(codec);
    }
  }

  /** The same for a task that pauses: a picture that comes meanwhile gets another instance. */
  async hold<R>(task: (codec: T) => Promise<R>): Promise<R> {
    const codec = this.#take();
    try {
      return await task(codec);
    } finally {
      this.#giveBack(codec);
    }
  }

  #take(): T {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    for (let spare = this.#spare.pop(); spare !== undefined; spare = this.#spare.pop()) {
      const codec = spare.deref();
      if (codec !== undefined) return codec;
    }
    return this.#create();
  }

  #giveBack(codec: T): void {
    const bytes = codec.memory.buffer.byteLength;
    this.#peakBytes = Math.max(this.#peakBytes, bytes);
    if (this.memoryBytes() + bytes <= this.#maxIdleBytes) this.#idle.push(codec);
    else this.#spare.push(new WeakRef(codec));
  }

  /** @returns bytes of WASM memory of idle instances that the garbage collector can't take. */
  memoryBytes(): number {
    return this.#idle.reduce((sum, { memory }) => sum + memory.buffer.byteLength, 0);
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

function isNumeric(value: unknown): value is (...args: number[]) => number {
  return typeof value === 'function';
}
