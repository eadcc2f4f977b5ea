/** JPEG files taken apart into segments, changed, and put together again with lengths that fit (most of the time). */
import {
  big16,
  changeBytes,
  changed,
  changeList,
  joined,
  joinedList,
  overwritten,
  type Bytes,
} from './bytes.ts';
import type { Random } from './random.ts';

interface Segment {
  readonly marker: number;
  /** Without its length; undefined where the marker has none. */
  readonly data: Uint8Array | undefined;
  /** What follows a scan's header up to the next marker. */
  readonly coded: Uint8Array;
  /** What the length says, where that is another. */
  readonly claimed?: number;
}

const SOI = 0xd8;
const SOS = 0xda;
const NOTHING = new Uint8Array();
const CHANGES = 4;

const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
const isBare = (marker: number): boolean => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd9);

/** By its second byte; stuffing and restarts belong to the coded data. */
const endsCoded = (second: number): boolean => second !== 0 && !(second >= 0xd0 && second <= 0xd7);

/** As far as it has the form of a JPEG. */
function segmentsOf(file: Uint8Array): Segment[] {
  const segments: Segment[] = [];
  let at = 2;
  while (at + 1 < file.length && file[at] === 0xff) {
    const marker = file[at + 1];
    if (isBare(marker)) {
      segments.push({ marker, data: undefined, coded: NOTHING });
      at += 2;
      continue;
    }
    const end = at + 2 + ((file[at + 2] << 8) | file[at + 3]);
    const next = marker === SOS ? endOfCoded(file, end) : end;
    segments.push({ marker, data: file.subarray(at + 4, end), coded: file.subarray(end, next) });
    at = next;
  }
  return segments;
}

function endOfCoded(file: Uint8Array, from: number): number {
  let at = from;
  while (at < file.length && !(file[at] === 0xff && endsCoded(file[at + 1]))) at++;
  return at;
}

function fileOf(segments: readonly Segment[]): Bytes {
  const parts: (Uint8Array | number[])[] = [[0xff, SOI]];
  for (const { marker, data, coded, claimed } of segments) {
    parts.push([0xff, marker]);
    if (data !== undefined) parts.push(big16((claimed ?? data.length + 2) & 0xffff), data);
    parts.push(coded);
  }
  return joinedList(parts);
}

/** @returns the file with some changes to its segments. */
export function changeJpeg(random: Random, file: Uint8Array): Bytes {
  return fileOf(
    changed(random, segmentsOf(file), CHANGES, (segments) =>
      changeList(random, segments, {
        change: (segment) => changeSegment(random, segment),
        make: () => makeSegment(random),
        most: 3_000,
        bytesOf: ({ data = NOTHING, coded }) => data.length + coded.length,
      }),
    ),
  );
}

function changeSegment(random: Random, segment: Segment): Segment {
  const { marker, data = NOTHING } = segment;
  const ways: (() => Segment)[] = [
    () => ({ ...segment, data: changeBytes(random, data) }),
    () => ({ ...segment, claimed: random.odd(16) }),
    () => ({ ...segment, marker: random.pick([0xc0, 0xc1, 0xc2, 0xc4, 0xc9, 0xca, 0xcc, 0xdd, 0xe1, 0xfe]) }),
  ];
  if (isFrame(marker))
    ways.push(...Array<() => Segment>(3).fill(() => ({ ...segment, data: changeFrame(random, data) })));
  if (marker === SOS) {
    ways.push(
      () => ({ ...segment, coded: changeBytes(random, segment.coded) }),
      () => ({ ...segment, coded: restarted(random, segment.coded) }),
      () => ({ ...segment, data: scanHeader(random) }),
    );
  }
  return random.do(...ways);
}

/** Sides, components and sampling factors: what memory and work are estimated from. */
function changeFrame(random: Random, data: Uint8Array): Uint8Array {
  return random.do(
    () => overwritten(data, 1, big16(random.odd(16))),
    () => overwritten(data, 3, big16(random.odd(16))),
    () =>
      overwritten(data, 7 + 3 * random.below(3), [
        (1 + random.below(4)) * 16 + 1 + random.below(4),
        random.below(5),
      ]),
  );
}

function restarted(random: Random, coded: Uint8Array): Uint8Array {
  const at = random.below(coded.length + 1);
  return joined(coded.subarray(0, at), [0xff, 0xd0 + random.below(8)], coded.subarray(at));
}

/** Of a scan of any components, band and precision. */
function scanHeader(random: Random): Uint8Array {
  const count = 1 + random.below(4);
  const components = Array.from({ length: count }, () => [
    1 + random.below(4),
    random.pick([0, 0x11, 0x10, 0x33]),
  ]);
  const band = random.pick([
    [0, 0],
    [0, 63],
    [1, 5],
    [1, 63],
    [6, 63],
    [63, 1],
  ]);
  return Uint8Array.from([
    count,
    ...components.flat(),
    ...band,
    random.pick([0, 1, 2, 0x01, 0x10, 0x21, 0xff]),
  ]);
}

const segmentOf = (marker: number, data: Uint8Array, coded: Uint8Array = NOTHING): Segment => ({
  marker,
  data,
  coded,
});

function makeSegment(random: Random): Segment {
  return random.do(
    () => segmentOf(0xfe, joined([0xff, 0xd9], random.bytes(random.below(20)))),
    () => segmentOf(0xe0 + random.below(16), random.bytes(random.below(200))),
    () =>
      segmentOf(
        0xe1,
        joined([0x45, 0x78, 0x69, 0x66, 0, 0, 0x4d, 0x4d, 0, 42], random.bytes(random.below(40))),
      ),
    () => segmentOf(0xdd, Uint8Array.from(big16(random.odd(16)))),
    () => segmentOf(0xdb, joined([random.below(32)], random.bytes(64 * (1 + random.below(2))))),
    () => segmentOf(0xc4, joined([random.below(32)], huffmanTable(random))),
    () =>
      segmentOf(
        SOS,
        scanHeader(random),
        random.bytes(random.below(60)).map((v) => v & 0x7f),
      ),
    () => ({ marker: 0xd0 + random.below(10), data: undefined, coded: random.bytes(random.below(9)) }),
  );
}

/** Counts of codes by length, and as many symbols, or nearly. */
function huffmanTable(random: Random): Uint8Array {
  const counts = Array.from({ length: 16 }, (_, i) => random.below(Math.min(2 ** i, 6)));
  const symbols = counts.reduce((sum, count) => sum + count, 0) + random.pick([0, 0, 0, -1, 1]);
  return joined(counts, random.bytes(Math.max(0, symbols)));
}
