/**
 * Unpacks raw DEFLATE data piece by piece. The platform's stream unpacks at once whatever is written to it, and keeps all of it until it is
 * read: 2 MB may become 2 GB. So it is given a small piece, and the next one when what came out of it was taken.
 */
import { INFLATE_PIECE_BYTES } from '../limits.ts';

const READ_BYTES = 65_536;

/** @returns what comes out, no faster than it is read; it fails where the data are damaged or end early. */
export function inflating(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const inflater = new Inflater(bytes);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await inflater.next();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: () => inflater.cancel(),
  });
}

class Inflater {
  readonly #bytes: Uint8Array;
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #reader: ReadableStreamBYOBReader;
  #at = 0;
  #isClosed = false;
  #isEmpty = true;
  #written: Promise<void> = Promise.resolve();
  #arriving: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;

  constructor(bytes: Uint8Array) {
    const { readable, writable } = new DecompressionStream('deflate-raw');
    this.#bytes = bytes;
    this.#writer = writable.getWriter();
    this.#reader = readable.getReader({ mode: 'byob' });
  }

  /** @returns undefined at the end. */
  async next(): Promise<Uint8Array | undefined> {
    for (;;) {
      if (this.#isEmpty && !this.#isClosed) await this.#give();
      this.#arriving ??= this.#reader.read(new Uint8Array(READ_BYTES));
      // A piece that gives nothing lets the read wait: then the next one follows.
      const turn = this.#isClosed ? [] : [scheduler.wait(0)];
      const arrived = await Promise.race([this.#arriving, ...turn]);
      this.#isEmpty = arrived === undefined || (arrived.value?.byteLength ?? 0) < READ_BYTES;
      if (arrived === undefined) continue;
      this.#arriving = undefined;
      return arrived.done ? undefined : arrived.value;
    }
  }

  async cancel(): Promise<void> {
    await Promise.allSettled([this.#reader.cancel(), this.#writer.abort()]);
  }

  async #give(): Promise<void> {
    await this.#written;
    const piece = this.#bytes.subarray(this.#at, this.#at + INFLATE_PIECE_BYTES);
    this.#at += piece.byteLength;
    this.#isClosed = piece.byteLength === 0;
    this.#written = this.#isClosed ? this.#writer.close() : this.#writer.write(piece);
    // Whoever reads hears of it.
    this.#written.catch(() => undefined);
  }
}
