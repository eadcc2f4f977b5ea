/** PNG files taken apart into chunks, changed, and put together again with checksums that fit (most of the time). */
import { unzlibSync, zlibSync } from 'fflate';
import { crc32 } from '../../src/crc32.ts';
import { ascii, big32, changeBytes, changed, changeList, joined, joinedList, type Bytes } from './bytes.ts';
import type { Random } from './random.ts';

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  /** Where the length is to be a lie. */
  readonly claimed?: number;
  readonly damaged?: boolean;
}

const SIGNATURE_BYTES = 8;
const CHANGES = 4;
const TYPES = [
  'IHDR',
  'PLTE',
  'IDAT',
  'IEND',
  'tRNS',
  'eXIf',
  'gAMA',
  'iCCP',
  'acTL',
  'fcTL',
  'fdAT',
  'tEXt',
  'IXYZ',
  'abcd',
];

function chunksOf(file: Uint8Array): Chunk[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const chunks: Chunk[] = [];
  for (let at = SIGNATURE_BYTES; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    const type = String.fromCharCode(...file.subarray(at + 4, at + 8));
    chunks.push({ type, data: file.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

function fileOf(signature: Uint8Array, chunks: readonly Chunk[]): Bytes {
  return joinedList([
    signature,
    ...chunks.flatMap(({ type, data, claimed, damaged = false }) => {
      const body = joined(ascii(type), data);
      return [big32(claimed ?? data.length), body, big32(crc32(body) ^ (damaged ? 1 : 0))];
    }),
  ]);
}

/** @returns the file with some changes to its chunks, or to what is compressed in them. */
export function changePng(random: Random, file: Uint8Array): Bytes {
  const changes = {
    change: (chunk: Chunk) => changeChunk(random, chunk),
    make: () => makeChunk(random),
    most: 20_000,
    bytesOf: ({ data }: Chunk) => data.length + 12,
  };
  const chunks = changed(random, chunksOf(file), CHANGES, (chunks) =>
    random.do(
      () => changeList(random, chunks, changes),
      () => changeList(random, chunks, changes),
      () => changeSamples(random, chunks),
      () => cut(random, chunks),
    ),
  );
  return fileOf(file.subarray(0, SIGNATURE_BYTES), chunks);
}

function changeChunk(random: Random, chunk: Chunk): Chunk {
  const ways: (() => Chunk)[] = [
    () => ({ ...chunk, data: changeBytes(random, chunk.data) }),
    () => ({ ...chunk, type: random.pick(TYPES) }),
  ];
  if (random.oneIn(4)) ways.push(() => ({ ...chunk, claimed: random.odd(32) }));
  if (random.oneIn(4)) ways.push(() => ({ ...chunk, damaged: true }));
  if (chunk.type === 'IHDR')
    ways.push(...Array<() => Chunk>(4).fill(() => ({ ...chunk, data: changeHeader(random, chunk.data) })));
  return random.do(...ways);
}

function changeHeader(random: Random, data: Uint8Array): Uint8Array {
  const side = (): number[] => big32(random.oneIn(4) ? random.odd(32) : random.odd(12));
  const copy = new Uint8Array(13);
  copy.set(data.subarray(0, 13));
  random.do<unknown>(
    () => copy.set(side(), 0),
    () => copy.set(side(), 4),
    () => copy.set([random.pick([1, 2, 4, 8, 16]), random.pick([0, 2, 3, 4, 6])], 8),
    () => (copy[12] ^= 1),
    () => (copy[10 + random.below(3)] = random.odd(8)),
  );
  return copy;
}

function makeChunk(random: Random): Chunk {
  return { type: random.pick(TYPES), data: random.bytes(random.oneIn(3) ? 0 : random.below(300)) };
}

/** Changes rows and filters behind the compression, and compresses them anew, whole or as blocks that are not compressed. */
function changeSamples(random: Random, chunks: readonly Chunk[]): Chunk[] {
  const data = joinedList(chunks.filter(({ type }) => type === 'IDAT').map(({ data }) => data));
  let raw: Uint8Array;
  try {
    raw = unzlibSync(data);
  } catch {
    return [...chunks];
  }
  const rows = changed(random, new Uint8Array(raw), 3, (bytes: Bytes) => changeBytes(random, bytes));
  const packed = zlibSync(rows, { level: random.pick([0, 1, 6, 9]) });
  const first = chunks.findIndex(({ type }) => type === 'IDAT');
  const others = chunks.filter(({ type }) => type !== 'IDAT');
  return [...others.slice(0, first), { type: 'IDAT', data: packed }, ...others.slice(first)];
}

/** Cuts the compressed data into small chunks, some of them empty. */
function cut(random: Random, chunks: readonly Chunk[]): Chunk[] {
  const piece = random.pick([1, 7, 100, 1000]);
  const empty = random.oneIn(3);
  return chunks.flatMap((chunk) => {
    if (chunk.type !== 'IDAT') return [chunk];
    const pieces: Chunk[] = [];
    for (let at = 0; at < chunk.data.length && pieces.length < 70_000; at += piece) {
      pieces.push({ type: 'IDAT', data: chunk.data.subarray(at, at + piece) });
      if (empty) pieces.push({ type: 'IDAT', data: new Uint8Array() });
    }
    return pieces;
  });
}
