/** The words of a data set: pictures with labels, and what was left out and why. */

export interface Picture {
  /** Absolute path. */
  readonly path: string;
  /** As the user knows it: relative to the data set, with forward slashes. */
  readonly name: string;
}

export interface LabelledPicture extends Picture {
  readonly label: string;
}

/** Why a picture is not used. */
export type SkipReason =
  /** Cannot be read or decoded, or is no picture in spite of its name. */
  | 'unusable'
  /** The same bytes as an earlier picture of the same class. */
  | 'duplicate'
  /** The same bytes stand under two labels: which is right is not for a program to guess, so none is used. */
  | 'conflict'
  /** Lies outside every class folder, or its row has no label. */
  | 'unlabelled';

export interface Skipped {
  readonly name: string;
  readonly reason: SkipReason;
  /** One sentence for a person. */
  readonly detail: string;
}

export interface Listing<P extends Picture = Picture> {
  /** Sorted by code unit. */
  readonly pictures: readonly P[];
  readonly skipped: readonly Skipped[];
  /** Names of files that are no pictures and do not claim to be (README.txt). */
  readonly notPictures: readonly string[];
}

export interface DataSet extends Listing<LabelledPicture> {
  /** The folder or manifest. */
  readonly source: string;
  /** Every label that was announced, sorted by code unit; a class whose folder is empty is among them. */
  readonly labels: readonly string[];
}

/** Order by code unit: the same on every machine and in every locale. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
