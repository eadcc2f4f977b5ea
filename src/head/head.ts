/**
 * A head: a linear map from a CNN code to class scores, with everything needed to answer honestly. Immutable.
 * With a code x: z = (x − mean) / deviation, logits = weights · z + bias, probabilities = softmax(logits / temperature).
 */
import type { Statistic } from '../backbone/plan.ts';
import type { Tail } from '../backbone/tail.ts';
import type { PixelRules } from '../image/input.ts';
import type { TrainingMethod } from './method.ts';
import type { Metrics } from './metrics.ts';

export interface BackboneIdentity {
  readonly name: string;
  readonly version: string;
  /** Lower-case hex. */
  readonly weightsSha256: string;
}

/** The image that the backbone reads: its size, and the rules by which it is resized. */
export interface PictureInput {
  readonly height: number;
  readonly width: number;
  readonly rules: PixelRules;
}

export interface Head {
  /** The backbone whose codes this head reads. */
  readonly backbone: BackboneIdentity;
  /** Names of the taps that the code is made of, in the order of `readableTaps`. */
  readonly taps: readonly string[];
  /** What each tap reads of its map, in the order of the taps; the means where absent. */
  readonly statistics?: readonly Statistic[];
  /** How pictures reach the backbone; by rules 1 and at the backbone's own size where absent. */
  readonly input?: PictureInput;
  /** D, the length of a code. */
  readonly codeLength: number;
  /** C distinct labels; predictions index into them. */
  readonly labels: readonly string[];
  /** [D] standardisation of the code. */
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** [C × D], one row per class. */
  readonly weights: Float32Array;
  /** [C] */
  readonly bias: Float32Array;
  readonly temperature: number;
  readonly novelty: Novelty;
  readonly training: Training;
  /**
   * [k + 1] variance of the standardised training codes along each of novelty.directions, and its mean over all
   * directions across those: needed to train the head further without its training data (learn/further/continue.ts).
   */
  readonly variances?: Float32Array;
  /** Fine-tuned weights for the backbone's last steps; taps named `tail:…` are read from these. */
  readonly tail?: Tail;
  readonly golden: readonly GoldenVector[];
}

/** Out-of-distribution statistics: what a head needs to report an unknown picture (score.ts). */
export interface Novelty {
  /**
   * [k × D] orthonormal principal directions of the standardised training codes, k from 0 up. Half-precision numbers,
   * as in the file, held in single precision, which is quicker to compute with.
   */
  readonly directions: Float32Array;
  /** Of the residual's length and of the largest logit, over training codes that were left out. */
  readonly residual: Distribution;
  readonly logit: Distribution;
  /** Scores above it are unknown; 95 % of known pictures lie below. */
  readonly threshold: number;
}

export interface Distribution {
  readonly centre: number;
  /** Positive. */
  readonly spread: number;
}

/** How the head was trained, and its metrics. */
export interface Training {
  readonly method: TrainingMethod;
  readonly examples: number;
  /** Examples of each class, in the order of the labels. */
  readonly counts: readonly number[];
  readonly lambda: number;
  /**
   * Over the training examples, each predicted by a head that was trained without it. The only example of a class can't
   * be predicted so and is not counted; null when there are no others.
   */
  readonly leaveOneOut: Metrics | null;
  /** On a test set, where there was one. */
  readonly test?: Metrics;
}

/** A code with the probabilities that every runtime must find for it. */
export interface GoldenVector {
  /** [D] */
  readonly code: Float32Array;
  /** [C] */
  readonly probabilities: Float32Array;
}
