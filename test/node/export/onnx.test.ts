/** What we export must compute the same in a runtime that shares no code with us. */
import { describe, expect, it } from 'vitest';
import { nativeRuntime } from '../../../bench/peers/load.ts';
import { createOnnxEngine } from '../../../bench/peers/onnx-engine.ts';
import { backboneAt, type Backbone } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { OnnxGraph, type OnnxInput, planToOnnx } from '../../../src/export/index.ts';
import { mobileNet, liteBackbone, tfjsWasm } from '../backbone/files.ts';
import { ACTIVATIONS, randomPixels } from '../backbone/random.ts';
import { referenceCode } from '../backbone/reference.ts';
import { flatBackbone, flatPixels, largestRelative, oddBackbone } from './odd-backbone.ts';
import { withoutPeers } from '../peers.ts';

const INPUTS: readonly OnnxInput[] = ['pixels', 'planes'];

/** A field of a message in hexadecimal: its tag, its length (below 128), what it holds. */
function field(tag: string, content: string): string {
  return tag + (content.length / 2).toString(16).padStart(2, '0') + content;
}

function text(tag: string, value: string): string {
  return field(tag, Buffer.from(value).toString('hex'));
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0);
}

function cosine(a: Float32Array, b: Float32Array): number {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

async function onnxCodes(backbone: Backbone, input: OnnxInput, pixels: Uint8Array): Promise<Float32Array> {
  return await (await createOnnxEngine(await nativeRuntime(), backbone, input)).codes(pixels);
}

describe.skipIf(withoutPeers())('in ONNX Runtime', () => {
  it.each(INPUTS)('gives the codes of the TensorFlow.js engine, reading %s', async (input) => {
    const backbone = mobileNet();
    const pixels = randomPixels(1, 2 * 224 * 224 * 3);
    const expected = (await createTfjsEngine(backbone, tfjsWasm())).codes(pixels);
    const codes = await onnxCodes(backbone, input, pixels);
    expect(codes.length).toBe(expected.length);
    expect(cosine(codes, expected)).toBeGreaterThan(0.99999);
    expect(largestDifference(codes, expected)).toBeLessThan(2e-4);
  });

  it('gives the means and deviations of EfficientNet-Lite0 at 160 pixels', async () => {
    const backbone = backboneAt(liteBackbone(), { height: 160, width: 160 });
    const pixels = randomPixels(2, 160 * 160 * 3);
    const expected = (await createTfjsEngine(backbone, tfjsWasm())).codes(pixels);
    const codes = await onnxCodes(backbone, 'pixels', pixels);
    expect(codes.length).toBe(expected.length);
    expect(largestDifference(codes, expected)).toBeLessThan(2e-4);
  });

  it.each(INPUTS.flatMap((input) => ACTIVATIONS.map((activation) => ({ input, activation }))))(
    'runs any plan: $activation, reading $input',
    async ({ input, activation }) => {
      const backbone = oddBackbone(activation);
      const pixels = randomPixels(3, 13 * 10 * 3);
      const codes = await onnxCodes(backbone, input, pixels);
      const scale = Math.max(...referenceCode(backbone, pixels).map(Math.abs));
      expect(largestDifference(codes, referenceCode(backbone, pixels)) / scale).toBeLessThan(1e-5);
    },
  );

  it('finds a deviation that is small beside the mean', async () => {
    const [backbone, pixels] = [flatBackbone(), flatPixels()];
    const codes = await onnxCodes(backbone, 'pixels', pixels);
    expect(largestRelative(codes, referenceCode(backbone, pixels))).toBeLessThan(0.01);
  });
});

describe('the file', () => {
  it('is the same byte for byte each time', () => {
    expect(Buffer.compare(planToOnnx(mobileNet()), planToOnnx(mobileNet()))).toBe(0);
  });

  it('is laid out as onnx.proto says', () => {
    const graph = new OnnxGraph();
    const x = graph.input('x', 'float32', ['n', 2]);
    graph.node('Flatten', 'y', [x], { axis: -1 });
    graph.output('y', 'float32', ['n', 2]);
    const shape = field('12', field('0a', text('12', 'n')) + field('0a', '0802'));
    const value = (tag: string, name: string): string =>
      field(tag, text('0a', name) + field('12', field('0a', `0801${shape}`)));
    const axis = field('2a', `${text('0a', 'axis')}18ffffffffffffffffff01a00102`);
    const node = field(
      '0a',
      text('0a', 'x') + text('12', 'y') + text('1a', 'y') + text('22', 'Flatten') + axis,
    );
    const body = field('3a', node + text('12', 'g') + value('5a', 'x') + value('62', 'y'));
    const expected = `0808${text('12', 'headwater')}${body}42021011`;
    expect(Buffer.from(graph.encode('g')).toString('hex')).toBe(expected);
  });

  it('refuses a constant that does not fill its shape', () => {
    expect(() => new OnnxGraph().constant('w', [2, 3], new Float32Array(5))).toThrow(/5 values.*wants 6/);
  });
});
