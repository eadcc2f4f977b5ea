/** Exported heads of networks that run on integers must find the engine's codes in runtimes that know floats alone. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runLiteRt } from '../../../bench/peers/litert.ts';
import { liteRtParts, nativeRuntime } from '../../../bench/peers/load.ts';
import { backboneAt, cutAt, tensorNames, type Backbone, type Tail } from '../../../src/backbone/index.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { headToOnnx, headToTflite, headToTfjsGraph } from '../../../src/export/index.ts';
import { readCode, score, TAIL_TAP, type Head } from '../../../src/head/index.ts';
import { liteBackbone } from '../backbone/files.ts';
import { meanAndDeviation, NO_PADDING, onIntegers, smallNetwork } from '../backbone/integer-networks.ts';
import { BackboneMaker, randomPixels } from '../backbone/random.ts';
import { referenceCode } from '../backbone/reference.ts';
import { BUILDS } from '../backbone/simd-support.ts';
import { newDecoder } from '../image/support.ts';
import { withoutPeers } from '../peers.ts';
import { photos } from '../photos.ts';
import { unsureHead } from './sized-head.ts';
import { run } from './tfjs-graph.ts';

/** What a format's runtime finds for one picture. */
type Runner = (head: Head, backbone: Backbone, pixels: Uint8Array) => Promise<Outputs>;

interface Outputs {
  readonly codes: Float32Array;
  readonly probabilities: Float32Array;
}

const tfjs: Runner = async (head, backbone, pixels) => {
  const [model, at] = [headToTfjsGraph(head, backbone), backboneAt(backbone, head.input)];
  return {
    codes: await run(model, at, pixels, 'codes'),
    probabilities: await run(model, at, pixels, 'probabilities'),
  };
};

const onnx: Runner = async (head, backbone, pixels) => {
  const { height, width, channels } = backboneAt(backbone, head.input).plan.input;
  const runtime = await nativeRuntime();
  const session = await runtime.InferenceSession.create(headToOnnx(head, backbone));
  const outputs = await session.run({
    pixels: new runtime.Tensor('uint8', pixels, [1, height, width, channels]),
  });
  return { codes: outputs['codes'].data, probabilities: outputs['probabilities'].data };
};

const tflite: Runner = async (head, backbone, pixels) => {
  const { height, width, channels } = backboneAt(backbone, head.input).plan.input;
  const shape = [1, height, width, channels];
  const [codes, probabilities] = await runLiteRt(liteRtParts(), headToTflite(head, backbone), pixels, shape);
  return { codes, probabilities };
};

/** Of all numbers, relative to the largest. */
function difference(found: ArrayLike<number>, right: ArrayLike<number>): number {
  expect(found.length).toBe(right.length);
  const scale = Math.max(...Array.from(right, Math.abs));
  return Math.max(...Array.from(right, (value, i) => Math.abs(found[i] - value))) / scale;
}

/** Adds that no convolution before has, of one map twice, and read by what comes much later. */
function sums(pixels: Uint8Array): Backbone {
  const point = { stride: 1, padding: NO_PADDING, activation: 'none' as const };
  const maker = new BackboneMaker(4, 9, 8, 3)
    .conv('a', 'input', [1, 1, 3, 20], point, 0.01)
    .conv('b', 'a', [1, 1, 20, 20], { ...point, activation: 'relu' }, 0.3)
    .add('sum', 'b', 'a')
    .add('twice', 'sum', 'sum')
    .depthwise('dw', 'twice', [3, 3, 20], { ...point, padding: [1, 1, 1, 1] })
    .conv('c', 'dw', [1, 1, 20, 20], point, 0.3)
    .add('end', 'a', 'c');
  return onIntegers(maker, pixels, meanAndDeviation('end', 20));
}

const NETWORKS = [
  ...[9, 16, 23, 32].map((side) => {
    const pixels = randomPixels(side, side * side * 3);
    return { name: `all kinds of step, ${side} pixels`, backbone: smallNetwork(side, pixels, side), pixels };
  }),
  { name: 'adds', backbone: sums(randomPixels(4, 9 * 8 * 3)), pixels: randomPixels(4, 9 * 8 * 3) },
];

/** Its weights are some others than the backbone's. */
function tailFrom({ plan, tensors }: Backbone, from: string): Tail {
  const names = cutAt(plan, from).tailSteps.flatMap(tensorNames);
  return {
    from,
    tensors: new Map(names.map((name) => [name, Float32Array.from(tensors.get(name)!, (w) => w / 2)])),
  };
}

describe.each([
  { format: 'TensorFlow.js', runner: tfjs, skip: false },
  { format: 'ONNX Runtime', runner: onnx, skip: withoutPeers() },
  { format: 'LiteRT', runner: tflite, skip: withoutPeers() },
])('in $format', ({ runner, skip }) => {
  describe.skipIf(skip)('a head on integers', () => {
    it.each(NETWORKS)(
      'has the codes and answers of the 8-bit engine: $name',
      async ({ backbone, pixels }) => {
        const code = createSimdEngine(backbone, BUILDS.plain, { bits: 8 }).codes(pixels);
        const head = unsureHead(backbone, code);
        const { codes, probabilities } = await runner(head, backbone, pixels);
        expect(difference(codes, code)).toBeLessThan(1e-6);
        expect(difference(probabilities, score(head, code).probabilities)).toBeLessThan(1e-5);
        expect(difference(referenceCode(backbone, pixels), code)).toBeGreaterThan(1e-3);
      },
    );

    it('has a tail in floats behind them', async () => {
      const { backbone, pixels } = NETWORKS[3];
      const tail = tailFrom(backbone, 'project1');
      const engine = createSimdEngine(backbone, BUILDS.plain, { bits: 8 });
      const { codes, maps } = engine.codesAndMaps(pixels, [tail.from]);
      const own = engine.createTail(tail).codes(maps.get(tail.from)!);
      const behind = cutAt(backbone.plan, tail.from).tailTaps;
      const base = unsureHead(backbone, codes);
      const both = unsureHead(backbone, Float32Array.of(...codes, ...own));
      const head: Head = {
        ...both,
        tail,
        taps: [...base.taps, ...behind.map(({ name }) => TAIL_TAP + name)],
        statistics: [...backbone.plan.taps, ...behind].map(({ statistic = 'mean' }) => statistic),
      };
      const found = await runner(head, backbone, pixels);
      const code = readCode(head, backbone.plan, codes, own);
      expect(difference(found.codes, code)).toBeLessThan(1e-5);
      expect(difference(found.probabilities, score(head, code).probabilities)).toBeLessThan(1e-5);
    });
  });
});

it.skipIf(withoutPeers())(
  'EfficientNet-Lite0 has the codes of the 8-bit engine in ONNX Runtime',
  async () => {
    const [backbone, size] = [liteBackbone(), { height: 160, width: 160 }];
    const engine = createSimdEngine(backbone, BUILDS.plain, { bits: 8, size });
    const decoder = newDecoder();
    for (const path of photos('test', 'glass', 3)) {
      const { pixels } = await decoder.decode(readFileSync(path), size);
      const code = engine.codes(pixels, size);
      const head: Head = { ...unsureHead(backbone, code), input: { ...size, rules: 2 } };
      const { codes } = await onnx(head, backbone, pixels);
      expect(difference(codes, code), path).toBeLessThan(1e-6);
    }
  },
);
