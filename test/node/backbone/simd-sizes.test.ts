/** One engine, one packed copy of the weights, pictures of several sizes. */
import { describe, expect, it } from 'vitest';
import { backboneAt, type Backbone, type Size } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { mobileNet } from './files.ts';
import { fnv1a, goldenPicture, SIMD_CODE_HASHES } from './golden.ts';
import { randomPixels } from './random.ts';
import { BUILDS } from './simd-support.ts';
import { OWN_SIDE, SIDES, smallNetwork } from './small-network.ts';

const BITS = [32, 16] as const;
/** Some larger, some smaller than the one before, and each again. */
const IN_TURNS = [OWN_SIDE, 32, 96, OWN_SIDE, 64, 32, 96, 40, OWN_SIDE];

function square(side: number): Size {
  return { height: side, width: side };
}

function picture(side: number, count = 1): Uint8Array {
  return randomPixels(side, count * side * side * 3);
}

describe('the SIMD engine at several sizes', () => {
  for (const [build, module] of Object.entries(BUILDS)) {
    for (const bits of BITS) {
      it(`gives each size the bits of an engine made for it alone, in turns, ${build}, ${bits} bits`, () => {
        const backbone = smallNetwork();
        const engine = createSimdEngine(backbone, module, { bits });
        for (const side of IN_TURNS) {
          const alone = createSimdEngine(backboneAt(backbone, square(side)), module, { bits });
          const expected = alone.codes(picture(side, 2));
          expect(engine.codes(picture(side, 2), square(side)), `${side} pixels`).toEqual(expected);
        }
      });
    }
  }

  it('leaves the golden codes of the default backbone alone', () => {
    const backbone = withSides(mobileNet(), [160, 288]);
    for (const bits of BITS) {
      const engine = createSimdEngine(backbone, BUILDS.plain, { bits, size: square(160) });
      const small = engine.codes(picture(160), square(160));
      for (let turn = 0; turn < 2; turn++) {
        expect(fnv1a(engine.codes(goldenPicture())), `${bits} bits`).toBe(SIMD_CODE_HASHES[bits]);
        engine.codes(picture(288), square(288));
        expect(engine.codes(picture(160), square(160))).toEqual(small);
      }
    }
  });

  it('holds the weights once: five sizes take little more than the largest', () => {
    const backbone = smallNetwork(1, 8000);
    const weightBytes = [...backbone.tensors.values()].reduce((sum, { length }) => sum + length * 4, 0);
    expect(weightBytes).toBeGreaterThan(1_500_000);
    const largest = createSimdEngine(backboneAt(backbone, square(96)), BUILDS.plain).memoryBytes;
    const engine = createSimdEngine(backbone, BUILDS.plain);
    for (const side of [OWN_SIDE, ...SIDES]) engine.codes(picture(side), square(side));
    expect(engine.memoryBytes).toBeGreaterThanOrEqual(largest);
    expect(engine.memoryBytes - largest).toBeLessThan(weightBytes / 4);
    const { memoryBytes } = engine;
    for (const side of IN_TURNS) engine.codesAndMaps(picture(side), ['b1.expand', 'b1.se'], square(side));
    for (const side of IN_TURNS) engine.codesAndMaps(picture(side), ['b1.se', 'b1.expand'], square(side));
    expect(engine.memoryBytes - memoryBytes).toBeLessThan(weightBytes / 2);
  });

  it('refuses a size that the plan does not allow, and one whose maps need too much memory', () => {
    const { memoryBytes } = createSimdEngine(smallNetwork(), BUILDS.plain);
    // Room for another program, but not for maps four times as large.
    const options = { memoryLimitBytes: memoryBytes + 65_536 };
    const engine = createSimdEngine(smallNetwork(), BUILDS.plain, options);
    const expected = engine.codes(picture(OWN_SIDE));
    expect(() => engine.codes(picture(56), square(56))).toThrow(HeadwaterError);
    expect(() => engine.codes(picture(56), square(56))).toThrow(/but of 48×48, 32×32, 40×40, 64×64, 96×96/u);
    expect(() => engine.codes(picture(96), square(96))).toThrow(
      /needs \d+ bytes of memory.*smaller pictures/u,
    );
    expect(() => engine.codes(picture(40), square(32))).toThrow(RangeError);
    expect(engine.codes(picture(OWN_SIDE))).toEqual(expected);
    expect(engine.codes(picture(40), square(40))).toHaveLength(expected.length);
  });
});

function withSides(backbone: Backbone, sides: number[]): Backbone {
  return { ...backbone, plan: { ...backbone.plan, input: { ...backbone.plan.input, sides } } };
}
