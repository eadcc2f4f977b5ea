/** ZIP archives that are nearly right: directories, sizes, places and checksums that lie. */
import { deflateSync } from 'fflate';
import { crc32 } from '../../src/crc32.ts';
import {
  ascii,
  changeBytes,
  changed,
  changeList,
  joinedList,
  little16,
  little32,
  type Bytes,
} from './bytes.ts';
import type { Random } from './random.ts';

/** Of the directory, in its order; undefined where the truth is to stand. */
interface Entry {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly method: number;
  readonly flags?: number;
  readonly checksum?: number;
  readonly packed?: number;
  readonly size?: number;
  readonly place?: number;
  readonly nameBytes?: number;
}

const STORED = 0;
const DEFLATED = 8;
const CHANGES = 3;
const MOST_ENTRIES = 1_100;
const NAMES = [
  '',
  'a/',
  '__MACOSX/._a.jpg',
  '.hidden',
  '../../a.jpg',
  'a\0.jpg',
  'ä.jpg',
  'x'.repeat(300),
  '/',
];

export function fuzzedZip(random: Random, files: readonly Uint8Array[]): Bytes {
  const whole = files.map((bytes, i): Entry => ({
    name: `${i}.jpg`,
    bytes,
    method: random.pick([STORED, DEFLATED]),
  }));
  const entries = changed(random, whole, CHANGES, (each) =>
    changeList(random, each, {
      change: (entry) => changeEntry(random, entry),
      make: () => ({ name: random.pick(NAMES), bytes: random.bytes(random.below(100)), method: DEFLATED }),
      most: MOST_ENTRIES,
      bytesOf: ({ bytes }) => bytes.length,
    }),
  );
  const archive = written(random, entries);
  return random.oneIn(6) ? changeBytes(random, archive) : archive;
}

function changeEntry(random: Random, entry: Entry): Entry {
  return random.do<Entry>(
    () => ({ ...entry, bytes: changeBytes(random, entry.bytes) }),
    // A thousand times smaller when it is packed.
    () => ({ ...entry, bytes: new Uint8Array(random.pick([1_000_000, 8_000_000])), method: DEFLATED }),
    () => ({ ...entry, name: random.pick(NAMES) }),
    () => ({ ...entry, method: random.pick([STORED, DEFLATED, 9, 14, 99]) }),
    () => ({ ...entry, flags: random.odd(16) }),
    () => ({ ...entry, checksum: random.odd(32) }),
    () => ({ ...entry, packed: random.odd(32) }),
    () => ({ ...entry, size: random.odd(32) }),
    () => ({ ...entry, place: random.oneIn(2) ? 0 : random.odd(32) }),
    () => ({ ...entry, nameBytes: random.odd(16) }),
  );
}

function written(random: Random, entries: readonly Entry[]): Bytes {
  const files: (Uint8Array | number[])[] = [];
  const directory: (Uint8Array | number[])[] = [];
  let at = 0;
  for (const entry of entries) {
    const data = entry.method === DEFLATED ? deflateSync(entry.bytes, { level: 1 }) : entry.bytes;
    const fields = fieldsOf(entry, data);
    const local = joinedList([
      little32(0x04034b50),
      little16(20),
      fields,
      little16(0),
      ascii(entry.name),
      data,
    ]);
    directory.push(little32(0x02014b50), little16(20), little16(20), fields, little16(0), little16(0));
    directory.push(little16(0), little16(0), little32(0), little32(entry.place ?? at), ascii(entry.name));
    files.push(local);
    at += local.length;
  }
  const central = joinedList(directory);
  const lie = <T>(truth: T, lied: T): T => (random.oneIn(15) ? lied : truth);
  const end = [
    ...little32(lie(0x06054b50, 0x06064b50)),
    ...[0, 0].flatMap(little16),
    ...little16(entries.length),
    ...little16(lie(entries.length, random.odd(16))),
    ...little32(lie(central.length, random.odd(32))),
    ...little32(lie(at, random.odd(32))),
    ...little16(lie(0, random.odd(16))),
  ];
  return joinedList([...files, central, end]);
}

/** From the flags to the name's length, alike in both places. */
function fieldsOf(
  { flags = 0, method, checksum, packed, size, nameBytes, name, bytes }: Entry,
  data: Uint8Array,
): Bytes {
  return joinedList([
    little16(flags),
    little16(method),
    little32(0),
    little32(checksum ?? crc32(bytes)),
    little32(packed ?? data.length),
    little32(size ?? bytes.length),
    little16(nameBytes ?? name.length),
  ]);
}
