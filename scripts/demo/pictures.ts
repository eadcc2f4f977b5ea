/** The demo's data: photos that the project carries, or the user's own folder, split in two. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fetchSource, sourcePicturesFolder } from '../backbone/source.ts';

export interface LabelledFile {
  readonly path: string;
  readonly label: string;
}

export interface DemoSet {
  readonly train: readonly LabelledFile[];
  /** Pictures that training does not see. */
  readonly unseen: readonly LabelledFile[];
  /** A picture of none of the classes. */
  readonly other?: string;
}

const PICTURE = /\.(jpe?g|png|webp)$/i;
/** One picture in five is kept for the answers, and at most so many a class. */
const HELD_OUT = 5;
const MOST_UNSEEN_PER_CLASS = 15;

/** Six classes of rubbish, and a meal. */
export function examplePictures(root: string): DemoSet {
  const set = ownPictures(join(root, 'examples/trashnet'));
  return { ...set, other: join(root, 'examples/other/meal_1.jpg') };
}

/**
 * For benchmarks and screenshots: the photos that MobileNetV3-Small's package has, fetched once, in their own size. They are `meal_1.jpg`, `meal_2.jpg`, `report_1.jpg` …: the first of a kind teaches, the others are unseen. Those
 * named `other` have nothing in common that could be learnt, so they make no class.
 */
export async function shippedPictures(root: string): Promise<DemoSet> {
  await fetchSource(root, (line) => console.error(line));
  const folder = sourcePicturesFolder(root);
  const files = readdirSync(folder)
    .filter((name) => PICTURE.test(name) && !name.startsWith('other'))
    .sort()
    .map((name) => ({ path: join(folder, name), label: name.replace(/_.*/, '') }));
  const first = new Map(files.toReversed().map((file) => [file.label, file.path]));
  return {
    train: files.filter((file) => first.get(file.label) === file.path),
    unseen: files.filter((file) => first.get(file.label) !== file.path),
  };
}

/**
 * A folder of the user's: `train` and `test` below it where they are, else one folder a class, of which some pictures are
 * held out by the hash of their content, so that every start holds out the same.
 * @throws Error in words for the user when the folder can't serve.
 */
export function ownPictures(folder: string): DemoSet {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new Error(
      `--data ${folder}: there is no such folder. Give one that holds a folder of pictures for each class.`,
    );
  }
  const split = ['train', 'test'].every((part) => existsSync(join(folder, part)));
  const all = classFolders(split ? join(folder, 'train') : folder);
  if (all.length < 2) {
    throw new Error(
      `--data ${folder} holds ${all.length} folder(s) with at least two pictures. A classifier needs two classes: one folder each, named after the label.`,
    );
  }
  const kept = split ? classFolders(join(folder, 'test')).flat() : all.flatMap(heldOut);
  const paths = new Set(kept.map((file) => file.path));
  return {
    train: all.flat().filter((file) => !paths.has(file.path)),
    unseen: ofEachClass(kept, MOST_UNSEEN_PER_CLASS),
  };
}

/** The pictures of each class, one list a class; classes with fewer than two are left to the trainer's own report. */
function classFolders(folder: string): LabelledFile[][] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) =>
      readdirSync(join(folder, name))
        .filter((file) => PICTURE.test(file))
        .sort()
        .map((file) => ({ path: join(folder, name, file), label: name })),
    )
    .filter((files) => files.length > 1);
}

function heldOut(files: readonly LabelledFile[]): LabelledFile[] {
  const byHash = files
    .map((file) => ({ file, hash: createHash('sha256').update(readFileSync(file.path)).digest('hex') }))
    .sort((a, b) => (a.hash < b.hash ? -1 : 1));
  return byHash.slice(0, Math.max(1, Math.floor(files.length / HELD_OUT))).map(({ file }) => file);
}

/** Class by class, the first `count` of each. */
export function ofEachClass(files: readonly LabelledFile[], count: number): LabelledFile[] {
  return [...Map.groupBy(files, ({ label }) => label).values()].flatMap((each) => each.slice(0, count));
}
