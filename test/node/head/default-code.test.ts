/** Heads on the default code of EfficientNet-Lite0, against the memory that an isolate has for them. */
import { describe, expect, it } from 'vitest';
import { withGolden } from '../../../src/head/golden.ts';
import { memoryOf, readHead, writeHead, type Head } from '../../../src/head/index.ts';
import { DIRECTIONS } from '../../../src/learn/statistics/novelty.ts';
import { HEAD_CACHE_BYTES, MAX_BACKUP_LINE_BYTES, MAX_HEAD_BYTES } from '../../../worker/limits.ts';

const CODE_LENGTH = 3_680;

function headOf(classes: number, directions = DIRECTIONS): Head {
  const metrics = { support: 2, predicted: 2, precision: 0.5, recall: 0.5, f1: 0.5 };
  const interval = [0.123456789012345, 0.987654321098765] as const;
  return withGolden({
    backbone: { name: 'efficientnet-lite0', version: '1', weightsSha256: '0'.repeat(64) },
    taps: ['last.mean'],
    codeLength: CODE_LENGTH,
    labels: Array.from({ length: classes }, (_, c) => `${c} a label of usual length`),
    mean: new Float32Array(CODE_LENGTH),
    deviation: new Float32Array(CODE_LENGTH).fill(1),
    weights: Float32Array.from({ length: classes * CODE_LENGTH }, (_, at) => (at % 7) / 1_000),
    bias: new Float32Array(classes),
    temperature: 0.15,
    novelty: {
      directions: new Float32Array(directions * CODE_LENGTH).fill(1 / 64),
      residual: { centre: 50, spread: 5 },
      logit: { centre: 1, spread: 0.1 },
      threshold: 2,
    },
    variances: new Float32Array(directions + 1).fill(1),
    training: {
      method: { fit: 'ridge-dual' },
      examples: 2 * classes,
      counts: Array.from({ length: classes }, () => 2),
      lambda: 1,
      leaveOneOut: {
        examples: 2 * classes,
        accuracy: 0.5,
        accuracyInterval: interval,
        macroF1: 0.5,
        macroF1Interval: interval,
        logLoss: 1,
        logLossInterval: interval,
        calibrationError: 0.1,
        perClass: Array.from({ length: classes }, () => ({
          ...metrics,
          precisionInterval: interval,
          recallInterval: interval,
        })),
      },
    },
  });
}

describe('a head on 3,680 numbers', () => {
  it('of six classes leaves room for fifteen more in the cache, and for more of them', () => {
    const bytes = writeHead(headOf(6));
    const memory = memoryOf(readHead(bytes), bytes.byteLength);
    expect(Math.floor(HEAD_CACHE_BYTES / memory)).toBe(20);
  });

  it.each([DIRECTIONS, 64])(
    'of 1,000 classes and %i directions is taken, cached and backed up',
    (directions) => {
      const bytes = writeHead(headOf(1_000, directions));
      expect(bytes.byteLength).toBeLessThan(MAX_HEAD_BYTES);
      const head = readHead(bytes);
      expect(head.labels).toHaveLength(1_000);
      expect(memoryOf(head, bytes.byteLength)).toBeLessThan(HEAD_CACHE_BYTES);
    },
  );

  it('of the largest file fits a line of a backup', () => {
    expect(Math.ceil(MAX_HEAD_BYTES / 3) * 4 + 64 * 1024).toBeLessThan(MAX_BACKUP_LINE_BYTES);
  });
});
