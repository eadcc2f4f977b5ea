/**
 * Heads trained by other tools: linear maps, without any statistics of their training data. They answer as the original
 * did, and never report a picture as unknown.
 */
import { withGolden } from '../head/golden.ts';
import type { Head } from '../head/head.ts';
import { codesRead, type CodesRead } from './training-set.ts';

/** So large a spread makes the score 0 for any picture, and none is unknown. */
const NOTHING_KNOWN = { centre: 0, spread: 1e12 };
const NEVER_UNKNOWN = 1e6;

export interface ImportedLayer extends CodesRead {
  readonly labels: readonly string[];
  /** [C × H] one row per class, reading the last H numbers of the code as they are. */
  readonly weights: Float32Array;
  /** [C] */
  readonly bias: ArrayLike<number>;
  /** Statistics of the first numbers of the code over any pictures. The head's rows don't read these numbers. */
  readonly prior: { readonly mean: Float32Array; readonly deviation: Float32Array };
  /** H, or 0 when the rows read the first numbers. */
  readonly hidden: number;
}

/** A head with temperature 1 whose logits are those of the layer. */
export function importedHead(layer: ImportedLayer): Head {
  const { labels, weights, bias, prior, hidden } = layer;
  const features = prior.mean.length;
  const codeLength = features + hidden;
  const classes = labels.length;
  const read = hidden === 0 ? features : hidden;
  if (weights.length !== classes * read) {
    throw new RangeError(`${weights.length} weights are not those of ${classes} classes on ${read} numbers.`);
  }
  const mean = new Float32Array(codeLength);
  const deviation = new Float32Array(codeLength).fill(1);
  mean.set(prior.mean);
  deviation.set(prior.deviation);
  const rows = new Float32Array(classes * codeLength);
  const shifted = Float64Array.from(bias);
  for (let c = 0; c < classes; c++) {
    for (let i = 0; i < read; i++) {
      const d = codeLength - read + i;
      rows[c * codeLength + d] = weights[c * read + i] * deviation[d];
      shifted[c] += weights[c * read + i] * mean[d];
    }
  }
  return withGolden({
    ...codesRead(layer),
    codeLength,
    labels,
    mean,
    deviation,
    weights: rows,
    bias: Float32Array.from(shifted),
    temperature: 1,
    novelty: {
      directions: new Float32Array(0),
      residual: NOTHING_KNOWN,
      logit: NOTHING_KNOWN,
      threshold: NEVER_UNKNOWN,
    },
    training: {
      method: { fit: 'imported' },
      examples: 0,
      counts: labels.map(() => 0),
      lambda: 0,
      leaveOneOut: null,
    },
  });
}
