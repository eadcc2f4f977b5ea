/**
 * ZIP archives (APPNOTE 6.3) of pictures, over bytes already in memory: the central directory is read, entries are views,
 * and each is unpacked alone, within a cap, when its turn comes. What it claims of its sizes is not believed.
 */
import { crc32 } from '../../src/crc32.ts';
import { readBytes } from './body.ts';
import { inflating } from './inflate.ts';
import type { Grow } from '../isolate/leases.ts';
import { ApiError } from './problem.ts';

export interface ZipEntry {
  readonly name: string;
  readonly deflated: boolean;
  /** CRC-32 of the file, as the directory has it; what stands before or behind the entry itself may be empty. */
  readonly checksum: number;
  /** As they lie in the archive. */
  readonly bytes: Uint8Array;
}

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT_BYTES = 0xffff;
const DIRECTORY_SIGNATURE = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
/** Directories and the notes that macOS adds count as well; only so many are looked at. */
const MAX_DIRECTORY_ENTRIES = 1_000;
/** What a size or an offset is when the real one stands in a ZIP64 record. */
const ZIP64 = 0xffffffff;

/**
 * The archive's files, in its order; directories, hidden files and what macOS notes beside them are left out.
 * @throws ApiError invalid_request where it is no archive or one of a kind that isn't read.
 */
export function readZip(archive: Uint8Array): ZipEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > MAX_DIRECTORY_ENTRIES) throw unreadable(`it has more than ${MAX_DIRECTORY_ENTRIES} entries`);
  const entries: ZipEntry[] = [];
  let at = view.getUint32(end + 16, true);
  let claimed = 0;
  for (let i = 0; i < count; i++) {
    if (at + DIRECTORY_ENTRY_BYTES > end || view.getUint32(at, true) !== DIRECTORY_SIGNATURE) {
      throw unreadable('its directory is damaged');
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((o) => view.getUint16(at + o, true));
    const next = at + DIRECTORY_ENTRY_BYTES + nameBytes + extraBytes + commentBytes;
    if (next > end) throw unreadable('its directory is damaged');
    const name = new TextDecoder().decode(
      archive.subarray(at + DIRECTORY_ENTRY_BYTES, at + DIRECTORY_ENTRY_BYTES + nameBytes),
    );
    if (isPicture(name)) {
      const entry = readEntry(archive, view, at, name);
      // Entries that share their bytes make a small archive unpack to a huge one.
      claimed += entry.bytes.length;
      if (claimed > archive.length) throw unreadable('its entries overlap');
      entries.push(entry);
    }
    at = next;
  }
  return entries;
}

/** The end record lies at the very end, behind it only a comment. */
function findEnd(view: DataView): number {
  const first = Math.max(view.byteLength - END_BYTES - MAX_COMMENT_BYTES, 0);
  for (let at = view.byteLength - END_BYTES; at >= first; at--) {
    if (view.getUint32(at, true) === END_SIGNATURE) return at;
  }
  throw unreadable('it has no directory');
}

function isPicture(name: string): boolean {
  const parts = name.split('/');
  return !name.endsWith('/') && parts[0] !== '__MACOSX' && !parts.at(-1)!.startsWith('.');
}

function readEntry(archive: Uint8Array, view: DataView, at: number, name: string): ZipEntry {
  const shown = name.slice(0, 80);
  if ((view.getUint16(at + 8, true) & ENCRYPTED) !== 0) throw unreadable(`'${shown}' is encrypted`);
  const method = view.getUint16(at + 10, true);
  if (method !== STORED && method !== DEFLATED)
    throw unreadable(`'${shown}' is packed in a way that isn't read here`);
  const size = view.getUint32(at + 20, true);
  const local = view.getUint32(at + 42, true);
  if (size === ZIP64 || local === ZIP64) throw unreadable('it is a ZIP64 archive');
  if (local + LOCAL_HEADER_BYTES > archive.length || view.getUint32(local, true) !== LOCAL_SIGNATURE) {
    throw unreadable(`'${shown}' is not where its directory says`);
  }
  const start =
    local + LOCAL_HEADER_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + size > archive.length) throw unreadable(`'${shown}' is not where its directory says`);
  return {
    name,
    deflated: method === DEFLATED,
    checksum: view.getUint32(at + 16, true),
    bytes: archive.subarray(start, start + size),
  };
}

/**
 * The file itself. Unpacking stops as soon as there is more than the cap.
 * @param lend lends the memory that it is unpacked to.
 * @param charge is told how many bytes came out, or of a file that isn't whole how many there was room for; what it throws is passed on.
 * @throws ApiError body_too_large, overloaded, invalid_request where it cannot be unpacked or has another checksum than it should.
 */
export async function unpack(
  entry: ZipEntry,
  maxBytes: number,
  lend: Grow,
  charge: (bytes: number) => void,
): Promise<Uint8Array> {
  const shown = `The file '${entry.name.slice(0, 80)}'`;
  let room = 0;
  const grow = async (bytes: number): Promise<void> => {
    await lend(bytes);
    room += bytes;
  };
  try {
    const bytes = entry.deflated ? await inflate(entry.bytes, maxBytes, shown, grow) : entry.bytes;
    room = bytes.byteLength;
    if (crc32(bytes) !== entry.checksum) throw damaged(shown);
    return bytes;
  } finally {
    charge(room);
  }
}

/** What says nothing about the archive's bytes. */
const PASSED: ReadonlySet<string> = new Set(['body_too_large', 'overloaded']);

async function inflate(bytes: Uint8Array, maxBytes: number, shown: string, grow: Grow): Promise<Uint8Array> {
  try {
    const source = { headers: new Headers(), body: inflating(bytes) };
    return await readBytes(source, maxBytes, shown, { grow, contested: () => false, factor: 1 });
  } catch (cause) {
    if (cause instanceof ApiError && PASSED.has(cause.code)) throw cause;
    throw damaged(shown, cause);
  }
}

function damaged(shown: string, cause?: unknown): ApiError {
  return new ApiError(
    'invalid_request',
    `${shown} in the archive is damaged: it is not what was packed. Pack the archive again.`,
    { cause },
  );
}

function unreadable(reason: string): ApiError {
  return new ApiError('invalid_request', `The ZIP archive cannot be read: ${reason}.`);
}
