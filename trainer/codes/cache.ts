/**
 * CNN codes on disk, one small file a picture, named by the picture's SHA-256 below a folder that stands for
 * everything else a code depends on (weights, decoder, engine). A file is written beside its place and renamed, and
 * carries a checksum: whatever interrupted a run, the next one reads whole codes or computes them again.
 *
 * Layout: <folder>/<key>/<first two hex digits>/<sha256>.code
 * File: 'HWC1' · uint32 D · uint32 CRC-32 of what follows · D × fp16; little-endian.
 */
import { readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FileError } from '../cli/failure.ts';
import { writeWhole } from '../files.ts';

const MAGIC = 0x31435748;
const HEADER_BYTES = 12;

/** Codes of weights and decoders that nobody has used for this long are deleted: 30,000 pictures take 130 MB. */
const UNUSED_DAYS = 30;

/** Deletes the codes of other keys that have not been used for long, and marks this key as used. */
export async function dropUnused(folder: string, key: string): Promise<void> {
  const now = Date.now();
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (name === key) await utimes(path, now / 1000, now / 1000);
      else if (now - (await stat(path)).mtimeMs > UNUSED_DAYS * 86_400_000)
        await rm(path, { recursive: true });
    }
  } catch {
    // Tidying up: another run may be at it, or there is no cache yet.
  }
}

export class CodesCache {
  readonly #folder: string;
  readonly codeLength: number;
  readonly #warn: (line: string) => void;
  #writable = true;

  /**
   * @param folder of all caches; made when the first code is kept.
   * @param key what else the codes depend on, as a file name.
   * @param warn told once when codes cannot be kept; the run goes on without.
   */
  constructor(folder: string, key: string, codeLength: number, warn: (line: string) => void) {
    this.#folder = join(folder, key);
    this.codeLength = codeLength;
    this.#warn = warn;
  }

  /** @returns the code, or undefined when there is none or the file is not whole. */
  async get(sha256: string): Promise<Float16Array | undefined> {
    try {
      return decode(await readFile(this.#path(sha256)), this.codeLength);
    } catch {
      return undefined;
    }
  }

  async put(sha256: string, code: Float16Array): Promise<void> {
    if (!this.#writable) return;
    try {
      await writeWhole(this.#path(sha256), encode(code));
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      this.#writable = false;
      this.#warn(`CNN codes are not kept for the next run (${this.#folder}: ${error.reason}).`);
    }
  }

  #path(sha256: string): string {
    return join(this.#folder, sha256.slice(0, 2), `${sha256}.code`);
  }
}

function encode(code: Float16Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + code.byteLength);
  bytes.set(new Uint8Array(code.buffer, code.byteOffset, code.byteLength), HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, code.length, true);
  view.setUint32(8, crc32(bytes.subarray(HEADER_BYTES)), true);
  return bytes;
}

function decode(bytes: Uint8Array, codeLength: number): Float16Array | undefined {
  if (bytes.length !== HEADER_BYTES + codeLength * 2) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== codeLength) return undefined;
  const payload = bytes.slice(HEADER_BYTES);
  if (view.getUint32(8, true) !== crc32(payload)) return undefined;
  return new Float16Array(payload.buffer, payload.byteOffset, codeLength);
}
