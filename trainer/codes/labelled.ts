/** A data set with a CNN code for each picture that can be used, and an account of those that cannot. */
import { HeadwaterError } from '../../src/errors.ts';
import { byCodeUnit, type DataSet, type LabelledPicture } from '../datasets/dataset.ts';
import type { Listing, Skipped } from '../datasets/dataset.ts';
import { rowsInMemory, selectRows, type CodeRows } from '../../src/learn/code-rows.ts';
import { dropCopies } from '../datasets/duplicates.ts';
import { hashPictures, type Hashed } from './hash.ts';
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
  /** In the order of the pictures. */
  readonly codes: CodeRows;
  readonly skipped: readonly Skipped[];
  readonly notPictures: readonly string[];
  readonly fromCache: number;
}

/** @throws training_data_invalid when no picture can be used. */
export async function readLabelledCodes(dataSet: DataSet, reader: CodesReader): Promise<LabelledCodes> {
  const { hashed, unusable } = await hashPictures(dataSet.pictures, reader.terminal);
  const { kept, skipped: copies } = dropCopies(hashed);
  const { rows, problems, fromCache } = await reader.codes(kept);
  const usable = [...kept.keys()].filter((place) => !problems.has(kept[place].sha256));
  const pictures = usable.map((place) => kept[place]);
  const undecodable = kept.flatMap(({ name, sha256 }): Skipped[] => {
    const detail = problems.get(sha256);
    return detail === undefined ? [] : [{ name, reason: 'unusable', detail }];
  });
  const skipped = [...dataSet.skipped, ...unusable, ...undecodable, ...copies];
  skipped.sort((a, b) => byCodeUnit(a.name, b.name));
  if (pictures.length === 0) throw noPictures(dataSet, skipped);
  const labels = [...new Set(pictures.map((picture) => picture.label))].sort(byCodeUnit);
  return {
    source: dataSet.source,
    labels,
    emptyLabels: dataSet.labels.filter((label) => !labels.includes(label)),
    pictures,
    codes: keepRows(rows, usable),
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
  const places = set.pictures.flatMap((picture, i) => (keep(picture) ? [i] : []));
  return { pictures: places.map((place) => set.pictures[place]), codes: selectRows(set.codes, places) };
}

/**
 * Refuses a set that no head can be trained on.
 * @throws training_data_invalid for a class without a usable picture, and for fewer than two classes.
 */
export function requireTrainable(set: LabelledCodes): void {
  if (set.emptyLabels.length > 0) {
    const names = set.emptyLabels.map((label) => `'${label}'`).join(', ');
    const advice = 'Add pictures to the class, or remove it.';
    throw invalid(`No usable picture in ${set.source} for ${names}. ${advice}`);
  }
  if (set.labels.length < 2) {
    throw invalid(
      `${set.source} has only the class '${set.labels[0]}'; a head needs at least two. ` +
        'If the classes are folders inside that one, give its path.',
    );
  }
}

/** Only these rows, their places rising. In memory the others make room, since the rest of the run needs no copy of them. */
function keepRows(rows: CodeRows, places: readonly number[]): CodeRows {
  const { codes, codeLength, examples } = rows;
  if (places.length === examples) return rows;
  if (codes === undefined) return selectRows(rows, places);
  for (const [to, from] of places.entries()) {
    codes.copyWithin(to * codeLength, from * codeLength, (from + 1) * codeLength);
  }
  return rowsInMemory(codes.subarray(0, places.length * codeLength), places.length);
}

function invalid(message: string): HeadwaterError {
  return new HeadwaterError('training_data_invalid', message);
}

function noPictures(dataSet: DataSet, skipped: readonly Skipped[]): HeadwaterError {
  const [first] = skipped;
  const why =
    first === undefined ? '' : ` ${skipped.length} were skipped; the first, ${first.name}: ${first.detail}`;
  return invalid(`${dataSet.source} holds no picture that can be used.${why}`);
}
