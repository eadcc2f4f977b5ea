/**
 * Lists of numbers in JSON from clients. Zod makes an object for each item that is wrong, with its place and a message: 8 MB of them take
 * a minute and a gigabyte. And of one that is right it takes thirty times what a look at it takes.
 */
import { z } from 'zod';

export interface NumberList {
  readonly least: number;
  readonly most: number;
  /** Default: all that are finite, which 1e999 is not. */
  readonly isAllowed?: (value: number) => boolean;
}

/** A schema that says one thing of the whole list, whatever is wrong in it. */
export function numberList({ least, most, isAllowed = Number.isFinite }: NumberList) {
  const isNumbers = (value: unknown): boolean =>
    Array.isArray(value) &&
    value.length >= least &&
    value.length <= most &&
    value.every((item) => typeof item === 'number' && isAllowed(item));
  return z
    .custom<number[]>(isNumbers, `must be a list of ${least} to ${most} numbers of the range`)
    .meta({ type: 'array', items: { type: 'number' } });
}
