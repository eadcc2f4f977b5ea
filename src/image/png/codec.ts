/** The kernel of png.as.ts, and how it is fed: compressed data go in as they lie in the file, rows come out. */
import { type Codec, CodecPool, exported } from '../memory/codec-pool.ts';
import { corrupt } from '../header.ts';
import { MAX_IDLE_KERNEL_BYTES } from '../limits.ts';
import type { PngHeader } from './header.ts';

interface PngCodec extends Codec {
  readonly rowsStart: (...args: number[]) => number;
  /** Forgets all that a picture before has left. */
  readonly start: (rowBytes: number) => number;
  readonly startPass: (rowBytes: number) => number;
  readonly row: (rowBytes: number, step: number) => number;
  readonly lastRow: (...args: number[]) => number;
  readonly finish: (...args: number[]) => number;
  readonly blocksSoFar: (...args: number[]) => number;
  readonly makeRoom: (...args: number[]) => number;
  readonly room: (...args: number[]) => number;
  readonly addInput: (bytes: number, last: number) => number;
  readonly dropInput: (...args: number[]) => number;
  readonly startChunk: (type: number) => number;
  readonly addToChunk: (at: number, bytes: number) => number;
}

export type PngDecoder = CodecPool<PngCodec>;

/** As in answers.as.ts and png.as.ts. */
const WANTS_INPUT = 1;
const DONE = 3;
const ROW = 7;
const SURPLUS = 9;
const DAMAGE: ReadonlyMap<number, string> = new Map([
  [4, 'its compressed data are damaged'],
  [5, 'its compressed data end early'],
  [6, 'the checksum of its compressed data is wrong'],
  [8, 'a row has an unknown filter'],
]);
const PAGE_BYTES = 65_536;
const START_PAGES = 3;
/** 'IDAT' as the kernel stores it. */
const IDAT = 0x54414449;

/** @param module compiled from png.as.ts. */
export function createPngDecoder(module: WebAssembly.Module): PngDecoder {
  return new CodecPool(() => instantiate(module), MAX_IDLE_KERNEL_BYTES);
}

function instantiate(module: WebAssembly.Module): PngCodec {
  const memory = new WebAssembly.Memory({ initial: START_PAGES });
  const instance = new WebAssembly.Instance(module, { env: { memory } });
  return {
    memory,
    rowsStart: exported(instance, 'rowsStart'),
    start: exported(instance, 'start'),
    startPass: exported(instance, 'startPass'),
    row: exported(instance, 'row'),
    lastRow: exported(instance, 'lastRow'),
    finish: exported(instance, 'finish'),
    blocksSoFar: exported(instance, 'blocksSoFar'),
    makeRoom: exported(instance, 'makeRoom'),
    room: exported(instance, 'room'),
    addInput: exported(instance, 'addInput'),
    dropInput: exported(instance, 'dropInput'),
    startChunk: exported(instance, 'startChunk'),
    addToChunk: exported(instance, 'addToChunk'),
  };
}

/** A picture's rows, one after the other, as long as the codec is held. */
export class PngRows {
  readonly #codec: PngCodec;
  readonly #data: PngHeader['data'];
  #chunk = 0;
  /** How much of the chunk the kernel has got. */
  #taken = 0;

  /** @param rowBytes of the longest row, with its filter's byte. */
  constructor(codec: PngCodec, { data }: PngHeader, rowBytes: number) {
    this.#codec = codec;
    this.#data = data;
    const missing = codec.rowsStart() + 2 * (rowBytes + 128) - codec.memory.buffer.byteLength;
    if (missing > 0) codec.memory.grow(Math.ceil(missing / PAGE_BYTES));
    codec.start(rowBytes);
  }

  /** Rows of another length follow, with nothing above them. */
  startPass(rowBytes: number): void {
    this.#codec.startPass(rowBytes);
  }

  /**
   * @param rowBytes with the filter's byte. @param step bytes of a pixel, at least 1.
   * @returns the next row without its filter's byte, valid until the next call; undefined where it isn't done yet.
   * @throws image_corrupt
   */
  next(rowBytes: number, step: number): Uint8Array | undefined {
    const codec = this.#codec;
    for (;;) {
      const said = codec.row(rowBytes, step);
      if (said === ROW) return new Uint8Array(codec.memory.buffer, codec.lastRow() + 1, rowBytes - 1);
      if (!this.#goesOn(said)) return undefined;
    }
  }

  /**
   * After the last row: what is left of the compressed data is read for its checksums. Data beyond the rows are ignored,
   * as browsers ignore them.
   *
   * @returns whether that is done. @throws image_corrupt
   */
  finish(): boolean {
    const said = this.#codec.finish();
    if (said !== DONE && said !== SURPLUS) {
      this.#goesOn(said);
      return false;
    }
    while (this.#chunk < this.#data.length) {
      this.#codec.dropInput();
      this.#feed();
    }
    return true;
  }

  /** Blocks of compressed data so far. */
  get blocks(): number {
    return this.#codec.blocksSoFar();
  }

  /** @returns whether to go on at once. @throws image_corrupt */
  #goesOn(said: number): boolean {
    const damage = DAMAGE.get(said);
    if (damage !== undefined) throw corrupt('png', damage);
    if (said === WANTS_INPUT) this.#feed();
    return said === WANTS_INPUT;
  }

  /** Fills the kernel's input from as many chunks as it takes. */
  #feed(): void {
    const codec = this.#codec;
    const start = codec.makeRoom();
    const room = codec.room();
    const memory = new Uint8Array(codec.memory.buffer);
    let added = 0;
    while (added < room && this.#chunk < this.#data.length)
      added += this.#copy(memory, start + added, room - added);
    codec.addInput(added, this.#chunk === this.#data.length ? 1 : 0);
  }

  /** Copies of one chunk what there is room for. @throws image_corrupt where it ends with another checksum than its own. */
  #copy(memory: Uint8Array, at: number, room: number): number {
    const codec = this.#codec;
    const { bytes, checksum } = this.#data[this.#chunk];
    if (this.#taken === 0) codec.startChunk(IDAT);
    const piece = bytes.subarray(this.#taken, this.#taken + room);
    memory.set(piece, at);
    const sum = codec.addToChunk(at, piece.length) >>> 0;
    this.#taken += piece.length;
    if (this.#taken === bytes.length) {
      if (sum !== checksum) throw corrupt('png', 'the checksum of its picture data is wrong');
      this.#chunk++;
      this.#taken = 0;
    }
    return piece.length;
  }
}
