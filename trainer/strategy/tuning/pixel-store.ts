/**
 * The pictures of a training set, decoded once at the size that crops are taken from, in one file: what is read again
 * in every epoch is then a read of some 200 kB, and memory stays bounded however many pictures there are.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import type { PictureInput } from '../../../src/head/head.ts';
import type { ImageDecoder } from '../../../src/image/index.ts';
import { readPictureFile } from '../../codes/picture-file.ts';

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
  paths: readonly string[],
  stored: StoredPictures,
  decoder: ImageDecoder,
  onPicture: () => void,
): Promise<void> {
  const file = openSync(stored.path, 'w');
  try {
    for (const path of paths) {
      const { bytes } = await readPictureFile(path);
      const { pixels } = await decoder.decode(bytes, stored);
      writeSync(file, pixels);
      onPicture();
    }
  } finally {
    closeSync(file);
  }
}

export class PictureReader {
  readonly #file: number;
  readonly #size: number;

  constructor({ path, height, width }: StoredPictures) {
    this.#file = openSync(path, 'r');
    this.#size = height * width * 3;
  }

  /** The picture at this place of the file. */
  read(index: number): Uint8Array {
    const pixels = new Uint8Array(this.#size);
    const count = readSync(this.#file, pixels, 0, this.#size, index * this.#size);
    if (count !== this.#size) throw new RangeError(`The file of pictures ends before picture ${index}.`);
    return pixels;
  }

  close(): void {
    closeSync(this.#file);
  }
}
