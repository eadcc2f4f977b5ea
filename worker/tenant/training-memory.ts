/** How much memory a training takes at most, so that all of an isolate together take what it has. */
import type { TaughtState } from './examples.ts';

/** Directions that tell how unlike the training pictures a picture is, and some rows beside them. */
const ROWS_BESIDE_CLASSES = 128;

/**
 * The codes, the kernel's matrix in double precision, and a few rows a class and a direction. For a head that is taught further
 * also its file, the new one, its rows in double precision, and imported ones' codes.
 * @param baseBytes of the file of the head that is taught further; undefined where there is none.
 */
export function trainingBytes(
  { classes, origin: { codeLength } }: Pick<TaughtState, 'classes' | 'origin'>,
  baseBytes: number | undefined,
): number {
  const examples = classes.reduce((sum, each) => sum + each.examples, 0);
  const numbers = examples * codeLength;
  const order = Math.min(examples, codeLength);
  const alone =
    2 * numbers + 8 * order * order + 8 * (classes.length + ROWS_BESIDE_CLASSES) * (codeLength + examples);
  return baseBytes === undefined ? alone : alone + 4 * baseBytes + 8 * numbers;
}
