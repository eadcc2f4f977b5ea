/** WebP files taken apart into RIFF chunks, changed, and put together again with lengths that fit (most of the time). */
import {
  ascii,
  changeBytes,
  changed,
  changeList,
  joined,
  joinedList,
  little16,
  little32,
  overwritten,
  type Bytes,
  type ListChanges,
} from './bytes.ts';
import type { Random } from './random.ts';

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
  readonly claimed?: number;
}

const RIFF_HEADER_BYTES = 12;
const FRAME_HEADER_BYTES = 16;
const CHANGES = 4;
const TYPES = ['VP8 ', 'VP8L', 'VP8X', 'ALPH', 'ANIM', 'ANMF', 'EXIF', 'ICCP', 'XMP ', 'abcd'];

function chunksOf(bytes: Uint8Array, from: number): Chunk[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let at = from; at + 8 <= bytes.length;) {
    const length = view.getUint32(at + 4, true);
    chunks.push({
      type: String.fromCharCode(...bytes.subarray(at, at + 4)),
      data: bytes.subarray(at + 8, at + 8 + length),
    });
    at += 8 + length + (length & 1);
  }
  return chunks;
}

function bytesOf(chunks: readonly Chunk[]): Bytes {
  return joinedList(
    chunks.flatMap(({ type, data, claimed }) => [
      ascii(type),
      little32(claimed ?? data.length),
      data,
      data.length & 1 ? [0] : [],
    ]),
  );
}

/** @returns the file with some changes to its chunks. */
export function changeWebp(random: Random, file: Uint8Array): Bytes {
  const chunks = changed(random, chunksOf(file, RIFF_HEADER_BYTES), CHANGES, (chunks) =>
    changeList(random, chunks, changesOf(random, 20_000)),
  );
  const body = bytesOf(chunks);
  const length = random.oneIn(12) ? random.odd(32) : body.length + 4;
  return joined(ascii('RIFF'), little32(length), ascii('WEBP'), body);
}

const changesOf = (random: Random, most: number): ListChanges<Chunk> => ({
  change: (chunk) => changeChunk(random, chunk),
  make: () => makeChunk(random),
  most,
  bytesOf: ({ data }) => data.length + 8,
});

function changeChunk(random: Random, chunk: Chunk): Chunk {
  const { type, data } = chunk;
  const ways: (() => Chunk)[] = [
    () => ({ ...chunk, data: changeBytes(random, data) }),
    () => ({ ...chunk, type: random.pick(TYPES) }),
  ];
  if (random.oneIn(4)) ways.push(() => ({ ...chunk, claimed: random.odd(32) }));
  const sized = (at: number, values: () => number[]): void => {
    if (data.length >= at + 4)
      ways.push(...Array<() => Chunk>(2).fill(() => ({ ...chunk, data: overwritten(data, at, values()) })));
  };
  const side = (): number => (random.oneIn(3) ? random.odd(14) : random.odd(11));
  if (type === 'VP8 ') sized(6, () => [...little16(side()), ...little16(side())]);
  if (type === 'VP8L') sized(1, () => little32((side() | (side() << 14) | (random.below(4) << 28)) >>> 0));
  if (type === 'VP8X')
    sized(0, () => [
      random.odd(8),
      0,
      0,
      0,
      ...little32(side()).slice(0, 3),
      ...little32(side()).slice(0, 3),
    ]);
  if (type === 'ANMF' && data.length > FRAME_HEADER_BYTES)
    ways.push(() => ({ ...chunk, data: changeFrame(random, data) }));
  return random.do(...ways);
}

/** An animation's frame has chunks of its own. */
function changeFrame(random: Random, data: Uint8Array): Uint8Array {
  const inner = changeList(random, chunksOf(data, FRAME_HEADER_BYTES), changesOf(random, 200));
  return joined(data.subarray(0, FRAME_HEADER_BYTES), bytesOf(inner));
}

function makeChunk(random: Random): Chunk {
  const exif = ascii('Exif\0\0MM\0*\0\0\0\x08');
  return random.do(
    () => ({ type: random.pick(TYPES), data: random.bytes(random.below(100)) }),
    () => ({ type: 'EXIF', data: joined(exif, random.bytes(random.below(40))) }),
    () => ({ type: 'VP8X', data: joined([random.odd(8), 0, 0, 0], random.bytes(6)) }),
  );
}
