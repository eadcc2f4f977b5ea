/**
 * A head: a linear map from a CNN code to class scores, with everything needed to answer honestly. Immutable.
 * With a code x: z = (x − mean) / deviation, logits = weights · z + bias, probabilities = softmax(logits / temperature).
 */
import type { Figures } from '../learn/metrics.ts';

export interface Head {
  /** The backbone whose codes this head reads. */
  readonly backbone: { readonly name: string; readonly version: string; readonly weightsSha256: string };
  /** Names of the taps that the code is made of, in order. */
  readonly taps: readonly string[];
  /** D, the length of a code. */
  readonly codeLength: number;
  /** C distinct labels; predictions index into them. */
  readonly labels: readonly string[];
  /** [D] standardisation of the code. */
  readonly mean: Float32Array;
  readonly deviation: Float32Array;
  /** [C × D], a row a class. */
  readonly weights: Float32Array;
  /** [C] */
  readonly bias: Float32Array;
  readonly temperature: number;
  readonly novelty: Novelty;
  readonly training: Training;
  readonly golden: readonly GoldenVector[];
}

/** What a head needs to say "none of these": see novelty.ts. */
export interface Novelty {
  /** [k × D] orthonormal principal directions of the standardised training codes, in half precision. */
  readonly directions: Float16Array;
  /** Centre and spread of the residual norm and of the largest logit over left-out training codes. */
  readonly residual: { readonly centre: number; readonly spread: number };
  readonly logit: { readonly centre: number; readonly spread: number };
  /** Scores above it are unknown; 95 % of known pictures lie below. */
  readonly threshold: number;
}

/** How the head came to be and how well it did, so that a file speaks for itself. */
export interface Training {
  readonly method: string;
  readonly examples: number;
  /** Examples a class, in the order of the labels. */
  readonly counts: readonly number[];
  readonly lambda: number;
  readonly leaveOneOut: Figures;
  readonly test?: Figures;
}

/** A code with the probabilities that every runtime must find for it. */
export interface GoldenVector {
  readonly code: Float32Array;
  readonly probabilities: Float32Array;
}
