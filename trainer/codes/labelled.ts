/** A data set with a CNN code for each picture that can be used, and an account of those that cannot. */
import { HeadwaterError } from '../../src/errors.ts';
import { byCodeUnit } from '../datasets/dataset.ts';
import type { DataSet, LabelledPicture, Listing, Skipped } from '../datasets/dataset.ts';
import { dropCopies } from '../datasets/duplicates.ts';
import { hashPictures } from './hash.ts';
import type { Hashed } from './hash.ts';
import type { CodesReader } from './reader.ts';

export interface LabelledCodes {
  /** The folder or manifest. */
  readonly source: string;
  /** Labels that have at least one picture, sorted by code unit. */
  readonly labels: readonly string[];
  /** Announced labels without a single usable picture. */
  readonly emptyLabels: readonly string[];
  /** n pictures, sorted by name. */
  readonly pictures: readonly Hashed<LabelledPicture>[];
  /** n × D, in the order of the pictures. */
  readonly codes: Float16Array;
  readonly skipped: readonly Skipped[];
  readonly notPictures: readonly string[];
  readonly fromCache: number;
}

/** @throws training_data_invalid when no picture can be used. */
export async function readLabelledCodes(dataSet: DataSet, reader: CodesReader): Promise<LabelledCodes> {
  const { hashed, unusable } = await hashPictures(dataSet.pictures, reader.terminal);
  const { kept, skipped: copies } = dropCopies(hashed);
  const { codes, problems, fromCache } = await reader.codes(kept);
  const pictures = kept.filter((picture) => codes.has(picture.sha256));
  const undecodable = kept.flatMap(({ name, sha256 }) => {
    const detail = problems.get(sha256);
    return detail === undefined ? [] : [{ name, detail }];
  });
  const broken = [...unusable, ...undecodable].map((file): Skipped => ({ ...file, reason: 'unusable' }));
  const skipped = [...dataSet.skipped, ...broken, ...copies].sort((a, b) => byCodeUnit(a.name, b.name));
  if (pictures.length === 0) throw noPictures(dataSet, skipped);
  const labels = [...new Set(pictures.map((picture) => picture.label))].sort(byCodeUnit);
  return {
    source: dataSet.source,
    labels,
    emptyLabels: dataSet.labels.filter((label) => !labels.includes(label)),
    pictures,
    codes: joinCodes(pictures, codes),
    skipped,
    notPictures: dataSet.notPictures,
    fromCache,
  };
}

/** The codes of pictures whose labels do not matter. @throws training_data_invalid when none can be used. */
export async function readUnlabelledCodes(
  source: string,
  listing: Listing,
  reader: CodesReader,
): Promise<Pick<LabelledCodes, 'source' | 'pictures' | 'codes' | 'skipped' | 'notPictures'>> {
  const pictures = listing.pictures.map((picture) => ({ ...picture, label: 'unlabelled' }));
  return readLabelledCodes({ ...listing, source, labels: ['unlabelled'], pictures }, reader);
}

/** @returns n indices into `labels`. @throws RangeError when a picture's label is not among them. */
export function targetsOf(pictures: readonly LabelledPicture[], labels: readonly string[]): Uint16Array {
  const index = new Map(labels.map((label, i) => [label, i]));
  return Uint16Array.from(pictures, ({ name, label }) => {
    const target = index.get(label);
    if (target === undefined)
      throw new RangeError(`${name} is labelled '${label}', which is none of the classes.`);
    return target;
  });
}

/** @returns the part whose pictures pass the test. */
export function selectCodes(
  set: LabelledCodes,
  keep: (picture: Hashed<LabelledPicture>) => boolean,
): Pick<LabelledCodes, 'pictures' | 'codes'> {
  const d = set.codes.length / set.pictures.length;
  const rows = set.pictures.flatMap((picture, i) => (keep(picture) ? [i] : []));
  const codes = new Float16Array(rows.length * d);
  rows.forEach((row, i) => codes.set(set.codes.subarray(row * d, (row + 1) * d), i * d));
  return { pictures: rows.map((row) => set.pictures[row]), codes };
}

/**
 * Refuses a set that no head can be trained on.
 * @throws training_data_invalid for a class without a usable picture, and for fewer than two classes.
 */
export function requireTrainable(set: LabelledCodes): void {
  if (set.emptyLabels.length > 0) {
    const names = set.emptyLabels.map((label) => `'${label}'`).join(', ');
    throw invalid(
      `No usable picture in ${set.source} for ${names}. Add pictures to the class, or remove it.`,
    );
  }
  if (set.labels.length < 2) {
    throw invalid(
      `${set.source} has only the class '${set.labels[0]}'; a head needs at least two. ` +
        'If the classes are folders inside that one, give its path.',
    );
  }
}

function joinCodes(
  pictures: readonly { readonly sha256: string }[],
  codes: ReadonlyMap<string, Float16Array>,
): Float16Array {
  const d = codes.values().next().value?.length ?? 0;
  const joined = new Float16Array(pictures.length * d);
  pictures.forEach(({ sha256 }, i) => joined.set(codes.get(sha256) ?? [], i * d));
  return joined;
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', message);
}

function noPictures(dataSet: DataSet, skipped: readonly Skipped[]): HeadwaterError {
  const first = skipped[0];
  const why =
    first === undefined ? '' : ` ${skipped.length} were skipped; the first, ${first.name}: ${first.detail}`;
  return new HeadwaterError(
    'training_data_invalid',
    `${dataSet.source} holds no picture that can be used.${why}`,
  );
}
