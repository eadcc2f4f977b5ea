/** Metrics of a head on labelled pictures. */
import type { Head } from '../../src/head/head.ts';
import { score } from '../../src/head/index.ts';
import { stretches, type CodeRows } from '../../src/learn/code-rows.ts';
import { argmax, evaluate, type DetailedMetrics } from '../../src/learn/statistics/metrics.ts';
import { targetsOf, type LabelledCodes } from '../codes/labelled.ts';
import type { LabelledPicture } from '../datasets/dataset.ts';

/** A head's prediction for one picture. Indices are into the head's labels. */
export interface Judgement {
  readonly picture: LabelledPicture;
  readonly target: number;
  readonly top: number;
  /** Probability of the top label, and of the true one. */
  readonly confidence: number;
  readonly truthProbability: number;
}

export interface Evaluation {
  readonly labels: readonly string[];
  readonly metrics: DetailedMetrics;
  readonly judgements: readonly Judgement[];
}

export interface NamedEvaluation extends Evaluation {
  /** For example 'test' or 'leave-one-out'. */
  readonly name: string;
}

/** A head's predictions for codes, with or without labels. */
export interface Scores {
  /** n × C. */
  readonly probabilities: Float32Array;
  readonly unknownScores: Float64Array;
  readonly isUnknown: readonly boolean[];
}

/** @param rows codes as the head reads them. */
export function scoreAll(head: Head, rows: CodeRows): Scores {
  const n = rows.examples;
  const probabilities = new Float32Array(n * head.labels.length);
  const unknownScores = new Float64Array(n);
  const isUnknown: boolean[] = [];
  for (const { begin, out } of stretches(rows, 1)) {
    const scored = score(head, Float32Array.from(out));
    probabilities.set(scored.probabilities, begin * head.labels.length);
    unknownScores[begin] = scored.unknown.score;
    isUnknown.push(scored.unknown.isUnknown);
  }
  return { probabilities, unknownScores, isUnknown };
}

/** @throws RangeError when a picture's label is none of the labels. */
export function judge(
  labels: readonly string[],
  pictures: LabelledCodes['pictures'],
  probabilities: Float32Array | Float64Array,
): Evaluation {
  const targets = targetsOf(pictures, labels);
  const classes = labels.length;
  const judgements = pictures.map((picture, i): Judgement => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    const top = argmax(row);
    return { picture, target: targets[i], top, confidence: row[top], truthProbability: row[targets[i]] };
  });
  return { labels, metrics: evaluate(probabilities, targets, classes), judgements };
}
