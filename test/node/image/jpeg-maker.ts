/** JPEGs made by a small encoder: flat 8×8 blocks of random levels, with the standard Huffman tables (ITU-T T.81, K.3). */
import { concat, randomIntegers } from './support.ts';

export interface DcJpeg {
  readonly seed: number;
  readonly width?: number;
  readonly height?: number;
  readonly components?: 1 | 3;
  readonly quantisation?: number;
  /** MCUs between restart markers, 0 for none. */
  readonly restartInterval?: number;
  /** All components in one scan, or a scan for each. */
  readonly interleaved?: boolean;
}

/** Codes of the DC differences' sizes 0…11 in the standard table for luminance, and their lengths. */
const DC_BITS = [2, 3, 3, 3, 3, 3, 4, 5, 6, 7, 8, 9];
const DC_CODES = [0, 2, 3, 4, 5, 6, 14, 30, 62, 126, 254, 510];
const DC_COUNTS = [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0];
/** "End of block" in the standard AC table for luminance: 1010. The table that is written has it alone, at its place. */
const AC_COUNTS = [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 125];
const AC_FIRST = [0x01, 0x02, 0x03, 0x00, 0x04, 0x11, 0x05, 0x12, 0x21, 0x31, 0x41, 0x06, 0x13, 0x51, 0x61];
const END_OF_BLOCK = { code: 0b1010, bits: 4 };

export function segment(marker: number, data: readonly number[]): number[] {
  const length = data.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...data];
}

/** @returns such a JPEG, every component sampled alike, which fully decodes without a warning. */
export function dcJpeg(options: DcJpeg): Uint8Array<ArrayBuffer> {
  const { seed, width = 96, height = 64, components = 3, quantisation = 16, restartInterval = 0 } = options;
  const ids = Array.from({ length: components }, (_, i) => i + 1);
  const scans = (options.interleaved ?? true) ? [ids] : ids.map((id) => [id]);
  const random = randomIntegers(seed);
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  return concat(
    [0xff, 0xd8],
    segment(0xdb, [0, ...Array<number>(64).fill(quantisation)]),
    segment(0xc0, [
      8,
      height >> 8,
      height & 255,
      width >> 8,
      width & 255,
      components,
      ...ids.flatMap((id) => [id, 0x11, 0]),
    ]),
    segment(0xc4, [0x00, ...DC_COUNTS, ...DC_BITS.keys()]),
    segment(0xc4, [0x10, ...AC_COUNTS, ...acSymbols()]),
    restartInterval > 0 ? segment(0xdd, [restartInterval >> 8, restartInterval & 255]) : [],
    ...scans.flatMap((scan) => [
      segment(0xda, [scan.length, ...scan.flatMap((id) => [id, 0]), 0, 63, 0]),
      entropyCoded(blocks, scan.length, restartInterval, random),
    ]),
    [0xff, 0xd9],
  );
}

/** The standard table's symbols; those after the first, which are never used, in any order. */
function acSymbols(): number[] {
  const rest = Array.from({ length: 162 }, (_, i) => ((i / 10) << 4) | (1 + (i % 10))).map((v) => v & 255);
  return [...new Set([...AC_FIRST, 0xf0, ...rest])].slice(0, 162);
}

function entropyCoded(
  blocks: number,
  components: number,
  restartInterval: number,
  random: (below: number) => number,
): number[] {
  const out: number[] = [];
  let bits = '';
  let last = Array<number>(components).fill(0);
  const flush = (): void => {
    const padded = bits.padEnd(Math.ceil(bits.length / 8) * 8, '1');
    for (let at = 0; at < padded.length; at += 8) {
      const byte = parseInt(padded.slice(at, at + 8), 2);
      out.push(byte, ...(byte === 0xff ? [0] : []));
    }
    bits = '';
  };
  for (let mcu = 0; mcu < blocks; mcu++) {
    if (restartInterval > 0 && mcu > 0 && mcu % restartInterval === 0) {
      flush();
      out.push(0xff, 0xd0 + ((mcu / restartInterval - 1) % 8));
      last = last.map(() => 0);
    }
    for (let c = 0; c < components; c++) {
      const level = random(61) - 30;
      bits += dcBits(level - last[c]) + END_OF_BLOCK.code.toString(2).padStart(END_OF_BLOCK.bits, '0');
      last[c] = level;
    }
  }
  flush();
  return out;
}

function dcBits(difference: number): string {
  const size = 32 - Math.clz32(Math.abs(difference));
  const code = DC_CODES[size].toString(2).padStart(DC_BITS[size], '0');
  const value = difference < 0 ? difference + 2 ** size - 1 : difference;
  return size === 0 ? code : code + value.toString(2).padStart(size, '0');
}

/** @returns the file without the segments of one marker before its first scan. */
export function withoutSegments(file: Uint8Array, marker: number): Uint8Array<ArrayBuffer> {
  const kept: Uint8Array[] = [file.subarray(0, 2)];
  let at = 2;
  while (file[at + 1] !== 0xda) {
    const end = at + 2 + ((file[at + 2] << 8) | file[at + 3]);
    if (file[at + 1] !== marker) kept.push(file.subarray(at, end));
    at = end;
  }
  return concat(...kept, file.subarray(at));
}
