/** Labelled photos to train and test heads on: larger sets where they lie beside the project, else the one that it carries. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { PictureInput } from '../src/head/index.ts';
import { root } from '../scripts/build/stale.ts';
import { createDecoder } from './pictures.ts';

/** Beside the project, where a machine has them. */
export const BESIDE = join(root, '../shared/data');
const LARGER = ['trashnet', 'flowers'].map((set) => join(BESIDE, set));
const CARRIED = join(root, 'examples/trashnet');

export interface Photo {
  readonly label: string;
  readonly file: Uint8Array;
}

export interface PhotoSet {
  readonly name: string;
  readonly train: readonly Photo[];
  readonly test: readonly Photo[];
}

export interface Labelled {
  readonly label: string;
  readonly pixels: Uint8Array;
}

/** @param perClass at most so many of each class in each half. */
export function photoSets(perClass = Infinity): PhotoSet[] {
  const larger = LARGER.filter((folder) => existsSync(folder));
  return (larger.length > 0 ? larger : [CARRIED]).map((folder) => ({
    name: larger.length > 0 ? basename(folder) : `${basename(folder)}, as carried`,
    train: photosIn(join(folder, 'train'), perClass),
    test: photosIn(join(folder, 'test'), perClass),
  }));
}

/** One photo of each class that the project carries, which no head of the benchmark is trained on. */
export function carriedPhotos(): Photo[] {
  return photosIn(join(CARRIED, 'test'), 1);
}

/** What the sets are. */
export function setsInWords(sets: readonly PhotoSet[]): string {
  return sets.map(({ name, train, test }) => `${name}: ${train.length} photos to train on, ${test.length} to test`).join('; '); // prettier-ignore
}

export async function decoded(photos: readonly Photo[], input: PictureInput): Promise<Labelled[]> {
  const decoder = createDecoder();
  const pictures: Labelled[] = [];
  for (const { label, file } of photos) pictures.push({ label, pixels: (await decoder.decode(file, input)).pixels }); // prettier-ignore
  return pictures;
}

function photosIn(folder: string, perClass: number): Photo[] {
  return readdirSync(folder)
    .sort()
    .flatMap((label) =>
      readdirSync(join(folder, label))
        .sort()
        .slice(0, perClass)
        .map((name) => ({ label, file: new Uint8Array(readFileSync(join(folder, label, name))) })),
    );
}
