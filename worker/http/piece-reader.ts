/** Reads a body piece by piece into buffers of the caller's own, so that what is held of it is never more than those. */
export class PieceReader {
  readonly #reader: ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array>;
  /** What a stream of JavaScript's own gave beyond the buffer. The host's streams never do. */
  #left: Uint8Array | undefined;
  #waiting = false;

  constructor(body: ReadableStream<Uint8Array>) {
    this.#reader = readerOf(body);
  }

  /**
   * @param into is transferred: the piece comes in a new buffer that replaces it.
   * @returns the piece, at the same place of that buffer; empty at the end of the body.
   */
  async read(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    this.#waiting = true;
    const piece = await this.#next(into);
    this.#waiting = false;
    return piece;
  }

  /** Leaves the rest to the next reader. Where a read is still waiting, or failed, there can be no next one. */
  release(): void {
    if (!this.#waiting) this.#reader.releaseLock();
  }

  /** Tells the sender that the rest isn't wanted; an error because it has already gone is ignored. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }

  async #next(into: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#reader instanceof ReadableStreamBYOBReader) {
      const { value } = await this.#reader.read(into);
      return value ?? new Uint8Array(0);
    }
    const given = this.#left ?? (await nextOf(this.#reader));
    const piece = given.subarray(0, into.byteLength);
    this.#left = piece.byteLength < given.byteLength ? given.subarray(piece.byteLength) : undefined;
    into.set(piece);
    return into.subarray(0, piece.byteLength);
  }
}

function readerOf(
  body: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | ReadableStreamDefaultReader<Uint8Array> {
  try {
    return body.getReader({ mode: 'byob' });
  } catch (error) {
    // Not a stream of bytes.
    if (!(error instanceof TypeError)) throw error;
    return body.getReader();
  }
}

/** The next part that isn't empty; an empty one at the end. */
async function nextOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(0);
    if (value.byteLength > 0) return value;
  }
}
