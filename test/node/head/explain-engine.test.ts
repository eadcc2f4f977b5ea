/** Heat-maps from the maps and statistics of our own engine: of several taps of a step, at several sizes, with a tail. */
import { describe, expect, it } from 'vitest';
import { backboneAt, cutAt, tensorNames, type Tail } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { explain, type TapMap } from '../../../src/head/explain.ts';
import { readableTaps, readCode, score, TAIL_TAP, type Head } from '../../../src/head/index.ts';
import { random, randomPixels } from '../backbone/random.ts';
import { BUILDS } from '../backbone/simd-support.ts';
import { smallNetwork } from '../backbone/small-network.ts';

const SIDE = 64;
const CUT = 'b0.project';
const backbone = smallNetwork(3);
const { plan } = backbone;
const size = { height: SIDE, width: SIDE };
const { shapes } = backboneAt(backbone, size);
const pixels = randomPixels(5, SIDE * SIDE * 3);

/** A head of two classes that was never trained, for codes about this one. */
function headFor(taps: readonly string[], code: Float32Array, tail?: Tail): Head {
  const next = random(8);
  const numbers = (length: number): Float32Array => Float32Array.from({ length }, () => 2 * next() - 1);
  const spread = { centre: 0, spread: 1 };
  return {
    backbone: { name: plan.name, version: plan.version, weightsSha256: plan.weightsSha256 },
    taps,
    codeLength: code.length,
    labels: ['a', 'b'],
    mean: code.map((x) => x + next() - 0.5),
    deviation: numbers(code.length).map((x) => Math.abs(x) + 0.1),
    weights: numbers(2 * code.length),
    bias: numbers(2),
    temperature: 1,
    novelty: { directions: new Float32Array(), residual: spread, logit: spread, threshold: 1 },
    training: { method: { fit: 'none' }, examples: 0, counts: [0, 0], lambda: 0, leaveOneOut: null },
    golden: [],
    ...(tail === undefined ? {} : { tail }),
  };
}

describe.each(Object.entries(BUILDS))('a heat-map from one run, %s', (_, module) => {
  const engine = createSimdEngine(backbone, module);

  it.each([
    ['alone', undefined],
    ['with a tail', CUT],
  ])('adds up to the logit, %s', (_, from) => {
    const tail = from === undefined ? undefined : tailFrom(from);
    const behind = new Set(from === undefined ? [] : cutAt(plan, from).tailTaps.map(({ name }) => name));
    const names = plan.taps.map(({ name }) => (behind.has(name) ? TAIL_TAP + name : name));
    const taps = readableTaps(plan, tail).filter(({ name }) => names.includes(name));
    const mapped = taps.filter(({ name }) => !name.startsWith(TAIL_TAP));
    const { codes, maps } = engine.codesAndMaps(
      pixels,
      mapped.map(({ step }) => step),
      size,
    );
    expect(codes).toEqual(engine.codes(pixels, size));
    const tailCode = tail && engine.createTail(tail, size).codes(maps.get(CUT)!);
    const length = taps.reduce((sum, { channels }) => sum + channels, 0);
    const code = readCode({ taps: names, codeLength: length, ...(tail && { tail }) }, plan, codes, tailCode);
    const head = headFor(names, code, tail);
    const tapMaps = new Map(
      mapped.map(({ name, step }): [string, TapMap] => [
        name,
        { ...shapes.get(step)!, values: maps.get(step)! },
      ]),
    );
    for (const label of [0, 1]) {
      const { bias, grid, spreadTaps } = explain(head, taps, label, code, tapMaps);
      const sum = grid.shares.reduce((total, share) => total + share, bias);
      expect(Math.abs(sum - score(head, code).logits[label])).toBeLessThan(1e-5);
      expect(grid).toMatchObject({ height: 16, width: 16 });
      expect(spreadTaps).toEqual(taps.filter((tap) => !mapped.includes(tap)).map(({ name }) => name));
      expect(spreadTaps.length > 0).toBe(from !== undefined);
    }
  });
});

/** The backbone's own last steps, each weight a little larger. */
function tailFrom(from: string): Tail {
  const names = cutAt(plan, from).tailSteps.flatMap(tensorNames);
  return { from, tensors: new Map(names.map((name) => [name, scaled(name)])) };
}

function scaled(name: string): Float32Array {
  return Float32Array.from(backbone.tensors.get(name)!, (weight) => weight * 1.1);
}
