/** Maps and tails on our own kernels, beside the reference. */
import { describe, expect, it } from 'vitest';
import { backboneAt, cutAt, cutPlaces, tensorNames, WHOLE } from '../../../src/backbone/index.ts';
import type { Backbone, Size, Tail, TailedEngine } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { HeadwaterError } from '../../../src/errors.ts';
import { mobileNet, tfjsWasm } from './files.ts';
import { goldenPicture } from './golden.ts';
import { randomPixels } from './random.ts';
import { BUILDS } from './simd-support.ts';
import { OWN_SIDE, smallNetwork } from './small-network.ts';

const BITS = [32, 16] as const;
const OTHER: Size = { height: 64, width: 64 };

/** The backbone's own last steps, each weight times a factor. */
function tailFrom(backbone: Backbone, from: string, factor = 1): Tail {
  const names = cutAt(backbone.plan, from).tailSteps.flatMap(tensorNames);
  const scaled = (name: string): Float32Array =>
    Float32Array.from(backbone.tensors.get(name)!, (weight) => weight * factor);
  return { from, tensors: new Map(names.map((name) => [name, scaled(name)])) };
}

/** What the tail makes of the pictures, by way of the trunk's map where there is a trunk. */
function tailCodes(engine: TailedEngine, tail: Tail, pixels: Uint8Array, size?: Size): Float32Array {
  const made = engine.createTail(tail, size);
  const input =
    tail.from === WHOLE ? pixels : engine.codesAndMaps(pixels, [tail.from], size).maps.get(tail.from)!;
  const codes = made.codes(input);
  expect(codes.length % made.codeLength).toBe(0);
  made.dispose();
  return codes;
}

/** Of one code, the part whose taps lie behind the cut. */
function behind(backbone: Backbone, from: string, code: Float32Array): number[] {
  const taps = new Set(cutAt(backbone.plan, from).tailTaps);
  let offset = 0;
  return backbone.plan.taps.flatMap((tap) => {
    offset += tap.channels;
    return taps.has(tap) ? [...code.subarray(offset - tap.channels, offset)] : [];
  });
}

/** The same by the reference, on the whole network with the tail's weights in place. */
async function referenceTailCodes(
  backbone: Backbone,
  tail: Tail,
  pixels: Uint8Array,
  size?: Size,
): Promise<Float32Array> {
  const tensors = new Map([...backbone.tensors, ...tail.tensors]);
  const reference = await createTfjsEngine({ ...backbone, tensors }, tfjsWasm());
  const codes = reference.codes(pixels, size);
  reference.dispose();
  const { codeLength } = backbone;
  const each = Array.from({ length: codes.length / codeLength }, (_, i) =>
    behind(backbone, tail.from, codes.subarray(i * codeLength, (i + 1) * codeLength)),
  );
  return Float32Array.from(each.flat());
}

/** The largest difference, of the largest number. */
function difference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  const largest = b.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  return a.reduce((max, value, i) => Math.max(max, Math.abs(value - b[i])), 0) / largest;
}

describe('tails on the SIMD engine', () => {
  const backbone = smallNetwork(2);
  const pixels = randomPixels(1, OWN_SIDE * OWN_SIDE * 3);
  const places = cutPlaces(backbone.plan);

  for (const [build, module] of Object.entries(BUILDS)) {
    for (const bits of BITS) {
      it(`of the backbone's own weights give the bits of its code, ${build}, ${bits} bits`, () => {
        const engine = createSimdEngine(backbone, module, { bits });
        for (const size of [undefined, OTHER]) {
          const picture = size === undefined ? pixels : randomPixels(2, OTHER.height * OTHER.width * 3);
          const code = engine.codes(picture, size);
          // In 16 bits, squeeze-and-excite's factors are applied while its map is rounded; a map that is read has them.
          for (const from of places.filter((place) => bits === 32 || place !== 'b1.se')) {
            const found = tailCodes(engine, tailFrom(backbone, from), picture, size);
            expect([...found], `from ${from}`).toEqual(behind(backbone, from, code));
          }
        }
      });
    }
  }

  it('of other weights give what the reference gives, from every place', async () => {
    const engine = createSimdEngine(backbone, BUILDS.relaxed);
    expect(places).toEqual(expect.arrayContaining([WHOLE, 'stem', 'b0.project', 'b1.sum', 'pool', 'hidden']));
    for (const size of [undefined, OTHER]) {
      const picture = randomPixels(3, 2 * (size ?? backbone.plan.input).height ** 2 * 3);
      for (const from of places) {
        const tail = tailFrom(backbone, from, 1.05);
        const expected = await referenceTailCodes(backbone, tail, picture, size);
        const found = tailCodes(engine, tail, picture, size);
        expect(difference(found, expected), `from ${from}`).toBeLessThan(1e-4);
      }
    }
  });

  it('hold their own memory, run in turns, and are of no use once disposed of', () => {
    const engine = createSimdEngine(backbone, BUILDS.plain);
    const map = engine.codesAndMaps(pixels, ['b0.project']).maps.get('b0.project')!;
    const [a, b] = [1.05, 0.9].map((factor) => engine.createTail(tailFrom(backbone, 'b0.project', factor)));
    const [first, second] = [a.codes(map), b.codes(map)];
    expect(a.bytes).toBeGreaterThan(65_536);
    expect(difference(first, second)).toBeGreaterThan(1e-3);
    expect(a.codes(map)).toEqual(first);
    expect(engine.codesAndMaps(pixels, ['b0.project']).maps.get('b0.project')).toEqual(map);
    a.dispose();
    expect(() => a.codes(map)).toThrow('disposed of');
    expect(b.codes(map)).toEqual(second);
  });

  it('refuse what does not fit', () => {
    const engine = createSimdEngine(backbone, BUILDS.plain);
    const tail = tailFrom(backbone, 'b0.project');
    expect(() => engine.createTail(tail).codes(new Float32Array(100))).toThrow(
      '100 numbers are no whole number of 12×12×20 maps.',
    );
    expect(() => engine.createTail({ ...tail, from: 'nowhere' })).toThrow(HeadwaterError);
    expect(() => engine.createTail({ ...tail, tensors: new Map() })).toThrow(HeadwaterError);
    expect(() => engine.createTail(tail, { height: 56, width: 56 })).toThrow(HeadwaterError);
    expect(() => engine.codesAndMaps(pixels, ['nowhere'])).toThrow("The plan has no step 'nowhere'.");
    expect(() => engine.codesAndMaps(pixels, [WHOLE])).toThrow(RangeError);
  });
});

describe('maps and tails of the default backbone', () => {
  const backbone = mobileNet();

  it('are those of the reference', async () => {
    const engine = createSimdEngine(backbone, BUILDS.relaxed);
    const reference = await createTfjsEngine(backbone, tfjsWasm());
    const steps = backbone.plan.steps.map((step) => step.name);
    const [found, expected] = [engine, reference].map((each) => each.codesAndMaps(goldenPicture(), steps));
    expect(found.codes).toEqual(engine.codes(goldenPicture()));
    for (const step of steps)
      expect(difference(found.maps.get(step)!, expected.maps.get(step)!), step).toBeLessThan(1e-4);
    for (const from of ['b8.project', 'b3.project', WHOLE]) {
      const tail = tailFrom(backbone, from, 1.05);
      const own = tailCodes(engine, tail, goldenPicture());
      const other = await referenceTailCodes(backbone, tail, goldenPicture());
      expect(difference(own, other), from).toBeLessThan(1e-4);
    }
    reference.dispose();
  });
});

describe('the reference at several sizes', () => {
  it('gives what an engine made for the size gives, with the weights there once', async () => {
    const backbone = smallNetwork(3);
    const reference = await createTfjsEngine(backbone, tfjsWasm());
    const engine = createSimdEngine(backbone, BUILDS.plain);
    for (const side of [64, OWN_SIDE, 96, 64]) {
      const size = { height: side, width: side };
      const pixels = randomPixels(side, 5 * side * side * 3);
      const alone = await createTfjsEngine(backboneAt(backbone, size), tfjsWasm());
      const codes = reference.codes(pixels, size);
      expect(codes).toEqual(alone.codes(pixels));
      expect(reference.codesAndMaps(pixels, ['b1.sum'], size)).toEqual(
        alone.codesAndMaps(pixels, ['b1.sum']),
      );
      expect(difference(engine.codes(pixels, size), codes)).toBeLessThan(1e-4);
      alone.dispose();
    }
    expect(() => reference.codes(new Uint8Array(), { height: 1, width: 1 })).toThrow(HeadwaterError);
    reference.dispose();
  });
});
