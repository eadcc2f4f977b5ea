/**
 * The pictures of a training set, decoded once at the size that crops are taken from, in one file: what is read again
 * in every epoch is then a read of some 200 kB, and memory stays bounded however many pictures there are.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { PictureInput } from '../../../src/head/head.ts';
import { readPictureFile } from '../../codes/picture-file.ts';
import type { Picture } from '../../datasets/dataset.ts';
import { loadDecoder } from '../../runtime.ts';

/** A side somewhat larger than the network's, so that crops are not blown up. */
const MARGIN = 8 / 7;

export interface StoredPictures extends PictureInput {
  readonly path: string;
}

/** The size that pictures for a network of this input are kept at. */
export function storedSize({ height, width, rules }: PictureInput): PictureInput {
  return { height: Math.round(height * MARGIN), width: Math.round(width * MARGIN), rules };
}

/** Decodes the pictures into the file, in this order. @param onPicture called after each. */
export async function storePictures(
  pictures: readonly Picture[],
  stored: StoredPictures,
  onPicture: () => void,
): Promise<void> {
  const decoder = await loadDecoder();
  const file = openSync(stored.path, 'w');
  try {
    for (const { path } of pictures) {
      const { bytes } = await readPictureFile(path);
      const { pixels } = await decoder.decode(bytes, stored);
      writeSync(file, pixels);
      onPicture();
    }
  } finally {
    closeSync(file);
  }
}

/** @returns what reads the picture at a place of the file. */
export function pictureReader({ path, height, width }: StoredPictures): (index: number) => Uint8Array {
  const file = openSync(path, 'r');
  const size = height * width * 3;
  return (index) => {
    const pixels = new Uint8Array(size);
    const count = readSync(file, pixels, 0, size, index * size);
    if (count !== size) throw new RangeError(`The file of pictures ends before picture ${index}.`);
    return pixels;
  };
}
