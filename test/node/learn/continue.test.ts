/** A closed-form head taught further must be the head that all examples together would give, as far as it remembers them. */
import { describe, expect, it } from 'vitest';
import { readHead, score, writeHead, type Head } from '../../../src/head/index.ts';
import { methodText } from '../../../src/head/method.ts';
import { continueHead, isContinuable } from '../../../src/learn/further/continue.ts';
import { teachFurther } from '../../../src/learn/further/teach-further.ts';
import { trainHead, type TrainingSet } from '../../../src/learn/ridge/train.ts';
import { BACKBONE, randomSet } from './random.ts';
import { linalg } from './linalg.ts';

/** Few enough for the head's directions to span all of them, so that it remembers the scatter whole. */
const D = 10;
const OLD = [40, 60, 20];

type Item = { readonly label: string; readonly code: Float16Array };

function itemsOf({ labels, codes, targets }: TrainingSet): Item[] {
  const d = codes.length / targets.length;
  return Array.from(targets, (target, i) => ({
    label: labels[target],
    code: codes.subarray(i * d, (i + 1) * d),
  }));
}

function setOf(items: readonly Item[]): TrainingSet {
  const labels = [...new Set(items.map(({ label }) => label))];
  const d = items[0].code.length;
  const codes = new Float16Array(items.length * d);
  items.forEach(({ code }, i) => codes.set(code, i * d));
  const targets = Uint16Array.from(items, ({ label }) => labels.indexOf(label));
  return { backbone: BACKBONE, taps: ['all'], labels, codes, targets };
}

const isNew = ({ label }: Item): boolean => label === 'class 3';

/** 4 classes; the last is new, and some of the first are kept for later too. */
function world(seed: number, codeLength = D) {
  const all = itemsOf(randomSet(seed, [...OLD, 9], codeLength, 0.6));
  const later = [...all.filter(isNew), ...all.filter(({ label }) => label === 'class 1').slice(0, 4)];
  const old = all.filter((item) => !later.includes(item));
  return { old, later };
}

/** Weighted least squares over old and new examples, (w, b) of one label, by elimination. */
function leastSquares(base: Head, old: readonly Item[], later: readonly Item[], label: string): Float64Array {
  const { counts, lambda, examples } = base.training;
  const scale = examples / counts.reduce((sum, count) => sum + count ** 0.25, 0);
  const all = [...old, ...later];
  const size = D + 1;
  const matrix = Array.from({ length: size }, () => new Float64Array(size + 1));
  for (const [i, { code, label: own }] of all.entries()) {
    const among = i < old.length ? old : all;
    const weight = scale * among.filter((item) => item.label === own).length ** -0.75;
    const z = Float64Array.from({ length: size }, (_, d) =>
      d === D ? 1 : (code[d] - base.mean[d]) / base.deviation[d],
    );
    for (let r = 0; r < size; r++) {
      for (let c = 0; c < size; c++) matrix[r][c] += weight * z[r] * z[c];
      matrix[r][size] += own === label ? weight * z[r] : 0;
    }
  }
  for (let d = 0; d < D; d++) matrix[d][d] += lambda;
  for (let p = 0; p < size; p++) {
    for (let r = 0; r < size; r++) {
      if (r === p) continue;
      const factor = matrix[r][p] / matrix[p][p];
      for (let c = p; c <= size; c++) matrix[r][c] -= factor * matrix[p][c];
    }
  }
  return Float64Array.from({ length: size }, (_, r) => matrix[r][size] / matrix[r][r]);
}

const logitOf = (head: Head, { code }: Item, label: string): number =>
  score(head, Float32Array.from(code)).logits[head.labels.indexOf(label)];

describe('continueHead', () => {
  it('fits old and new examples together', async () => {
    const { old, later } = world(1);
    const base = await trainHead(setOf(old), { linalg });
    expect(base.novelty.directions.length / D).toBe(D);
    const { head } = await continueHead(base, setOf(later), { linalg });
    expect(head.labels).toEqual(['class 0', 'class 1', 'class 2', 'class 3']);
    expect(head.training.counts).toEqual([40, 60, 20, 9]);
    for (const label of head.labels) {
      const expected = leastSquares(base, old, later, label);
      const c = head.labels.indexOf(label);
      // Directions are kept in half precision.
      for (let d = 0; d < D; d++) expect(Math.abs(head.weights[c * D + d] - expected[d])).toBeLessThan(1e-3);
      if (label !== 'class 3') expect(Math.abs(head.bias[c] - expected[D])).toBeLessThan(1e-3);
    }
    expect(readHead(writeHead(head))).toEqual(head);
  });

  // Weights stay what they are with all examples, as in every leave-one-out metric: in a large class that is no matter.
  it.each([
    { name: 'of a known label', from: 9, supports: [0, 4, 0], tolerance: 2e-3 },
    { name: 'of a new one too', from: 0, supports: [0, 4, 0, 9], tolerance: 0.05 },
  ])('leaves each example out: $name', async ({ from, supports, tolerance }) => {
    const { old, later: all } = world(2);
    const later = all.slice(from);
    const base = await trainHead(setOf(old), { linalg });
    const { leaveOneOut, head } = await continueHead(base, setOf(later), { linalg });
    expect(head.training.leaveOneOut?.perClass.map(({ support }) => support)).toEqual(supports);
    const classes = supports.length;
    for (const [i, item] of later.entries()) {
      const without = await continueHead(base, setOf(later.filter((other) => other !== item)), { linalg });
      const { probabilities } = score(without.head, Float32Array.from(item.code));
      const row = leaveOneOut.subarray(i * classes, (i + 1) * classes);
      probabilities.forEach((share, c) => expect(Math.abs(row[c] - share)).toBeLessThan(tolerance));
    }
  });

  it('lifts a new label halfway to where known pictures are', async () => {
    const { old, later } = world(3);
    const base = await trainHead(setOf(old), { linalg });
    const [item] = later;
    const { head } = await continueHead(base, setOf([item]), { linalg });
    const plain = leastSquares(base, old, [item], 'class 3');
    const lift = head.bias[3] - plain[D];
    expect(lift).toBeCloseTo(base.novelty.logit.centre / 2, 3);
    expect(logitOf(head, item, 'class 3')).toBeGreaterThan(logitOf(head, old[0], 'class 3'));
  });

  it('is the same for examples in any order, and can be taught further', async () => {
    const { old, later } = world(4, 100);
    const base = await trainHead(setOf(old), { linalg });
    const [a, b] = await Promise.all(
      [later, later.toReversed()].map(
        async (items) => (await continueHead(base, setOf(items), { linalg })).head,
      ),
    );
    expect(Buffer.compare(writeHead(a), writeHead(b))).toBe(0);
    const again = await continueHead(a, setOf(later.slice(0, 3).map((item) => ({ ...item, label: 'x' }))), {
      linalg,
    });
    expect(again.head.labels.at(-1)).toBe('x');
    expect(again.head.training.method).toEqual(a.training.method);
  });

  it('takes a head that remembers no directions for one whose codes vary equally', async () => {
    const { old, later } = world(5, 100);
    const { variances: _, ...base } = await trainHead(setOf(old), { linalg });
    const { head } = await continueHead(base, setOf(later), { linalg });
    const own = later.filter(({ label }) => label === 'class 3');
    const found = own.filter(({ code }) => {
      const { probabilities } = score(head, Float32Array.from(code));
      return probabilities.indexOf(Math.max(...probabilities)) === 3;
    });
    expect(found.length).toBe(own.length);
  });

  it('is for heads that were fitted in closed form', async () => {
    const { old, later } = world(6);
    const base = await trainHead(setOf(old), { linalg });
    expect(isContinuable(base)).toBe(true);
    const unknown = { method: { fit: 'imported' }, lambda: 0, examples: 0, counts: [0, 0, 0] };
    const imported = { ...base, training: { ...base.training, ...unknown } };
    expect(isContinuable(imported)).toBe(false);
    const { head } = await teachFurther(imported, setOf(later), { linalg });
    expect(methodText(head.training.method)).toBe('imported-extended, 8-fold');
    const again = await teachFurther(head, setOf(later), { linalg });
    expect(again.head.training.method).toEqual(head.training.method);
  });

  it('refuses more examples than it has memory for', async () => {
    const { old } = world(7);
    const base = await trainHead(setOf(old), { linalg });
    const many = { labels: ['x'], codes: new Float16Array(2001 * D), targets: new Uint16Array(2001) };
    await expect(continueHead(base, many, { linalg })).rejects.toThrow(/are the most/);
  });
});
