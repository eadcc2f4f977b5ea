/** What we export as TFLite must compute the same in LiteRT, which shares no code with us. */
import { describe, expect, it } from 'vitest';
import { createLiteRtEngine, runLiteRt } from '../../../bench/peers/litert.ts';
import { liteRtParts } from '../../../bench/peers/load.ts';
import { backboneAt, type Backbone } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { headToTflite, planToTflite } from '../../../src/export/index.ts';
import {
  bytes,
  encodeFlatbuffer,
  int32,
  int32s,
  int8,
  list,
  table,
  text,
} from '../../../src/export/flatbuffer.ts';
import { TfliteFile } from '../../../src/export/tflite-file.ts';
import { readCode, score } from '../../../src/head/index.ts';
import { importedHead } from '../../../src/learn/imported.ts';
import { mobileNet, liteBackbone, tfjsWasm } from '../backbone/files.ts';
import { ACTIVATIONS, randomPixels } from '../backbone/random.ts';
import { referenceCode } from '../backbone/reference.ts';
import { flatBackbone, flatPixels, largestRelative, oddBackbone } from './odd-backbone.ts';
import { withoutPeers } from '../peers.ts';

const INPUTS = ['uint8', 'float32'] as const;

async function codesIn(
  backbone: Backbone,
  input: (typeof INPUTS)[number],
  pixels: Uint8Array,
): Promise<Float32Array> {
  const engine = await createLiteRtEngine(liteRtParts(), backbone, input);
  return await engine.run(engine.prepare(pixels));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

describe.skipIf(withoutPeers())('in LiteRT', () => {
  it.each(INPUTS)('gives the codes of the TensorFlow.js engine, reading %s', async (input) => {
    const backbone = mobileNet();
    const pixels = randomPixels(1, 224 * 224 * 3);
    const expected = (await createTfjsEngine(backbone, tfjsWasm())).codes(pixels);
    const codes = await codesIn(backbone, input, pixels);
    expect(codes.length).toBe(expected.length);
    expect(largestDifference(codes, expected)).toBeLessThan(2e-4);
  });

  it('gives the means and deviations of EfficientNet-Lite0 at 160 pixels', async () => {
    const backbone = backboneAt(liteBackbone(), { height: 160, width: 160 });
    const pixels = randomPixels(2, 160 * 160 * 3);
    const expected = (await createTfjsEngine(backbone, tfjsWasm())).codes(pixels);
    const codes = await codesIn(backbone, 'uint8', pixels);
    expect(codes.length).toBe(expected.length);
    expect(largestDifference(codes, expected)).toBeLessThan(2e-4);
  });

  it.each(ACTIVATIONS)('runs any plan: %s', async (activation) => {
    const backbone = oddBackbone(activation);
    const pixels = randomPixels(3, 13 * 10 * 3);
    const expected = referenceCode(backbone, pixels);
    const codes = await codesIn(backbone, 'uint8', pixels);
    expect(codes.length).toBe(expected.length);
    expect(largestDifference(codes, expected) / Math.max(...expected.map(Math.abs))).toBeLessThan(1e-5);
  });

  it('finds a deviation that is small beside the mean', async () => {
    const [backbone, pixels] = [flatBackbone(), flatPixels()];
    const codes = await codesIn(backbone, 'uint8', pixels);
    expect(largestRelative(codes, referenceCode(backbone, pixels))).toBeLessThan(0.01);
  });

  it('gives the probabilities of a head', async () => {
    const backbone = oddBackbone('hard-swish');
    const { name, version, weightsSha256 } = backbone.plan;
    const codeLength = 3;
    const head = importedHead({
      backbone: { name, version, weightsSha256 },
      taps: ['early'],
      labels: ['a', 'b'],
      weights: Float32Array.from({ length: 2 * codeLength }, (_, i) => Math.sin(i)),
      bias: [0, 0.1],
      prior: {
        mean: new Float32Array(codeLength).fill(0.2),
        deviation: new Float32Array(codeLength).fill(3),
      },
      hidden: 0,
    });
    const pixels = randomPixels(9, 13 * 10 * 3);
    const code = readCode(head, backbone.plan, Float32Array.from(referenceCode(backbone, pixels)));
    const outputs = await runLiteRt(liteRtParts(), headToTflite(head, backbone), pixels, [1, 13, 10, 3]);
    expect(outputs.map(({ length }) => length)).toEqual([codeLength, 2]);
    expect(largestDifference(outputs[1], score(head, code).probabilities)).toBeLessThan(1e-5);
  });
});

describe('the file', () => {
  it('is the same byte for byte each time', () => {
    expect(Buffer.compare(planToTflite(mobileNet()), planToTflite(mobileNet()))).toBe(0);
  });

  it('refuses a constant that does not fill its shape, and a name used twice', () => {
    const file = new TfliteFile();
    expect(() => file.constant('w', [2, 3], new Float32Array(5))).toThrow(/5 values.*\[2, 3\] wants 6/);
    file.input('x', 'float32', [1]);
    expect(() => file.input('x', 'float32', [1])).toThrow(/'x' already/);
    expect(() => file.operator('add', 'y', ['x', 'nothing'], [1])).toThrow(/no value 'nothing'/);
  });
});

/** Little-endian words of 32 bits, in hexadecimal. */
const word = (value: number): string => Buffer.from(Int32Array.of(value).buffer).toString('hex');

describe('FlatBuffers', () => {
  it('are laid out as the format says', () => {
    const root = table([0, int8(-2)], [2, int32s([7, 8])], [3, text('hi')]);
    const vtable = ['0c00', '1000', '0400', '0000', '0800', '0c00'].join('');
    const expected =
      word(20) +
      Buffer.from('TEST').toString('hex') +
      vtable +
      word(12) +
      'fe000000' +
      word(8) +
      word(16) +
      word(2) +
      word(7) +
      word(8) +
      word(2) +
      Buffer.from('hi\0').toString('hex');
    expect(Buffer.from(encodeFlatbuffer(root, 'TEST')).toString('hex')).toBe(expected);
  });

  it.each([0, 1, 2, 3, 4, 5])('align what wants it, after %i bytes of something else', (before) => {
    const content = Uint8Array.of(1, 2, 3);
    const root = table([0, list([text('x'.repeat(before)), table([1, bytes(content, 16)], [0, int32(9)])])]);
    const file = Buffer.from(encodeFlatbuffer(root, 'TEST'));
    const at = file.indexOf(Buffer.from('03000000010203', 'hex'));
    expect((at + 4) % 16).toBe(0);
  });
});
