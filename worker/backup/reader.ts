/** The rows of a backup as it comes in: lines of JSON, each of bounded length, within a time, its memory on loan. The pace is that of all of it. */
import { BackupRow } from '../../src/api/index.ts';
import { invalidInput } from '../http/body.ts';
import { parseJson } from '../http/json.ts';
import type { Grow, Lender } from '../isolate/leases.ts';
import {
  BACKUP_LINE_MEMORY_FACTOR,
  BACKUP_PIECE_BYTES,
  MAX_BACKUP_LINE_BYTES,
  MAX_BACKUP_LINE_PARTS,
  SMALL_BACKUP_LINE_BYTES,
} from '../limits.ts';
import { Pace, type Await } from '../http/pace.ts';
import { PieceReader } from '../http/piece-reader.ts';
import { ApiError } from '../http/problem.ts';
import { invalidBackup } from './checks.ts';

export class BackupReader {
  readonly #reader: PieceReader;
  readonly #memory: Lender;
  readonly #pace: Pace;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  /** What came behind the line read last. */
  #text = '';
  #lines = 0;

  /** @param memory is lent for each line, for what comes of it. */
  constructor(body: ReadableStream<Uint8Array>, memory: Lender) {
    this.#reader = new PieceReader(body);
    this.#memory = memory;
    this.#pace = new Pace(memory.contested);
  }

  /**
   * @param use gets undefined behind the last line; the line's memory is kept until it is done.
   * @throws ApiError invalid_request, overloaded, body_…
   */
  next<T>(use: (row: BackupRow | undefined) => Promise<T>): Promise<T> {
    const number = ++this.#lines;
    const what = `Line ${number} of the backup`;
    return this.#memory.with(MAX_BACKUP_LINE_BYTES * BACKUP_LINE_MEMORY_FACTOR, async (grow) => {
      const line = await this.#pace.keep({ what }, (arrival) => this.#line(arrival, grow));
      return use(line === undefined ? undefined : parseRow(line, number));
    });
  }

  /** The rest isn't wanted here: it is dropped before the answer (drain.ts). */
  release(): void {
    this.#reader.release();
  }

  async #line(arrival: Await, grow: Grow): Promise<string | undefined> {
    const pieces: string[] = [];
    let length = 0;
    let lent = 0;
    for (;;) {
      const end = this.#text.indexOf('\n');
      const piece = end < 0 ? this.#text : this.#text.slice(0, end);
      length += piece.length;
      if (length > MAX_BACKUP_LINE_BYTES) throw invalidBackup('it holds a line that is too long');
      if (length > SMALL_BACKUP_LINE_BYTES) {
        await grow((length - lent) * BACKUP_LINE_MEMORY_FACTOR);
        lent = length;
      }
      pieces.push(piece);
      this.#text = end < 0 ? '' : this.#text.slice(end + 1);
      if (end >= 0) return pieces.join('');
      const bytes = await arrival(this.#reader.read(new Uint8Array(BACKUP_PIECE_BYTES)));
      if (bytes.byteLength === 0) return length === 0 ? undefined : pieces.join('');
      this.#text = this.#decode(bytes);
    }
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#decoder.decode(bytes, { stream: true });
    } catch {
      throw invalidBackup('it is not in UTF-8');
    }
  }
}

function parseRow(line: string, number: number): BackupRow {
  let value: unknown;
  try {
    value = parseJson(line, MAX_BACKUP_LINE_PARTS, `Line ${number} of the backup`);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    throw new ApiError('invalid_request', `Line ${number} of the backup is not JSON.`, { cause });
  }
  const parsed = BackupRow.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error, `line ${number} of the backup`);
}
