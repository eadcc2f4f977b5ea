/** Pictures that no encoder would write, made of ones that encoders wrote. */
import { changeBytes, changed, joined, type Bytes } from './bytes.ts';
import { changeJpeg } from './jpeg.ts';
import { changePng } from './png.ts';
import type { Random } from './random.ts';
import { changeWebp } from './webp.ts';

export interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const CHANGES = 6;

/** @param sources whole pictures. @returns a picture and what it was made of. */
export function fuzzedPicture(random: Random, sources: readonly Source[]): { from: string; bytes: Bytes } {
  const { name, bytes } = random.pick(sources);
  const structured = (file: Uint8Array): Bytes => {
    if (file[0] === 0xff) return changeJpeg(random, file);
    return file[0] === 0x89 ? changePng(random, file) : changeWebp(random, file);
  };
  const raw = (file: Bytes): Bytes => changed(random, file, CHANGES, (each) => changeBytes(random, each));
  const made = random.do(
    () => structured(bytes),
    () => structured(bytes),
    () => structured(bytes),
    () => raw(new Uint8Array(bytes)),
    () => raw(structured(bytes)),
    () => spliced(random, bytes, random.pick(sources).bytes),
  );
  return { from: name, bytes: made };
}

/** The beginning of one file and the end of another. */
function spliced(random: Random, a: Uint8Array, b: Uint8Array): Bytes {
  return joined(a.subarray(0, random.below(a.length)), b.subarray(random.below(b.length)));
}
