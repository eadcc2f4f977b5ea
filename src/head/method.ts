/** How a head was trained: fields within the program, one line of text in head files and answers. */

export interface TrainingMethod {
  /** 'ridge-dual', 'ridge-primal', 'logistic' or 'imported'; the whole text where a file says something else. */
  readonly fit: string;
  /** The strategy that fine-tuned a tail, and the step whose output the tail reads. */
  readonly tuned?: { readonly strategy: string; readonly from: string };
  /** Folds of the cross-validation that the head's own metrics come from. Absent: leave-one-out. */
  readonly folds?: number;
  /** Training on top of the head that the fields above describe. */
  readonly further?: 'continued' | 'extended';
  /** As `folds`, of the further training. */
  readonly furtherFolds?: number | undefined;
}

const TEXT =
  /^(?:(?<strategy>[\w-]+) from (?<from>.+?), )?(?<fit>[^,]+?)(?:, (?<folds>\d+)-fold)?(?:(?<further>, continued|-extended)(?:, (?<furtherFolds>\d+)-fold)?)?$/u;
const SUFFIX = { continued: ', continued', extended: '-extended' };

/** @returns the method whose `methodText` is exactly the text. */
export function parseMethod(text: string): TrainingMethod {
  const { strategy, from, fit = text, folds, further, furtherFolds } = TEXT.exec(text)?.groups ?? {};
  const method: TrainingMethod = {
    fit,
    ...(strategy === undefined || from === undefined ? {} : { tuned: { strategy, from } }),
    ...(folds === undefined ? {} : { folds: Number(folds) }),
    ...(further === undefined ? {} : { further: further === SUFFIX.continued ? 'continued' : 'extended' }),
    ...(furtherFolds === undefined ? {} : { furtherFolds: Number(furtherFolds) }),
  };
  return methodText(method) === text ? method : { fit: text };
}

/** @returns for example 'fine-tune from b3, ridge-dual, 4-fold, continued'. */
export function methodText({ fit, tuned, folds, further, furtherFolds }: TrainingMethod): string {
  const network = tuned === undefined ? '' : `${tuned.strategy} from ${tuned.from}, `;
  const suffix = further === undefined ? '' : SUFFIX[further];
  return network + fit + foldsSuffix(folds) + suffix + foldsSuffix(furtherFolds);
}

function foldsSuffix(folds: number | undefined): string {
  return folds === undefined ? '' : `, ${folds}-fold`;
}

/** @param folds in which the new examples were held out; absent where each was left out alone. */
export function trainedFurther(
  method: TrainingMethod,
  further: 'continued' | 'extended',
  folds?: number,
): TrainingMethod {
  return { ...method, further, furtherFolds: folds };
}

/** @returns folds in which the examples of a head's own metrics were held out; undefined after leave-one-out. */
export function heldOutFolds({ folds, further, furtherFolds }: TrainingMethod): number | undefined {
  return further === undefined ? folds : furtherFolds;
}

/** @returns 'leave-one-out', or for example '4-fold'. */
export function heldOutText(folds: number | undefined): string {
  return folds === undefined ? 'leave-one-out' : `${folds}-fold`;
}
