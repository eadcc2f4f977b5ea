/** Exported heads must give our probabilities in runtimes that share no code with us. */
import { describe, expect, it } from 'vitest';
import { runLiteRt } from '../../../bench/peers/litert.ts';
import { liteRtParts, nativeRuntime } from '../../../bench/peers/load.ts';
import { cutAt, tensorNames, type Backbone } from '../../../src/backbone/index.ts';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { headToOnnx, headToTflite, headToTfjsGraph, planToTfjsGraph } from '../../../src/export/index.ts';
import { networkOf } from '../../../src/export/network.ts';
import type { Head } from '../../../src/head/index.ts';
import { readCode, score } from '../../../src/head/index.ts';
import { importedHead } from '../../../src/learn/imported.ts';
import { trainHead } from '../../../src/learn/ridge/train.ts';
import { inSinglePrecision } from '../../../src/safetensors.ts';
import { mobileNet, tfjsWasm } from '../backbone/files.ts';
import { ACTIVATIONS, BackboneMaker, random, randomPixels } from '../backbone/random.ts';
import { referenceCode } from '../backbone/reference.ts';
import { flatBackbone, flatPixels, largestRelative, oddBackbone } from './odd-backbone.ts';
import { SIDE, sizedHead } from './sized-head.ts';
import { run } from './tfjs-graph.ts';
import { withoutPeers } from '../peers.ts';
import { linalg } from '../learn/linalg.ts';

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  return Math.max(...Array.from(a, (value, i) => Math.abs(value - b[i])));
}

/** A trained head on codes of noise, sure of what it says: the sharpest test of parity. */
async function trainedHead(
  backbone: Backbone,
): Promise<{ head: Head; pixels: Uint8Array; codes: Float32Array }> {
  const examples = 12;
  const next = random(5);
  const pixels = Uint8Array.from({ length: examples * 224 * 224 * 3 }, (_, i) => {
    const picture = Math.floor(i / (224 * 224 * 3));
    return (picture % 3 === 0 ? 255 : 80) * next() + (picture % 3) * 60;
  });
  const codes = (await createTfjsEngine(backbone, tfjsWasm())).codes(pixels);
  const { name, version, weightsSha256 } = backbone.plan;
  const head = await trainHead(
    {
      backbone: { name, version, weightsSha256 },
      taps: backbone.plan.taps.map((tap) => tap.name),
      labels: ['a', 'b', 'c'],
      codes: Float16Array.from(codes),
      targets: Uint16Array.from({ length: examples }, (_, i) => i % 3),
    },
    { linalg },
  );
  return { head, pixels, codes };
}

describe('a trained head on the built-in backbone', async () => {
  const backbone = mobileNet();
  const { head, pixels, codes } = await trainedHead(backbone);
  const two = pixels.subarray(0, 2 * 224 * 224 * 3);
  const ours = [0, 1].flatMap((i) =>
    Array.from(score(head, codes.subarray(i * head.codeLength, (i + 1) * head.codeLength)).probabilities),
  );

  it('as a TensorFlow.js graph model', async () => {
    const theirs = await run(headToTfjsGraph(head, backbone), backbone, two, 'probabilities');
    expect(largestDifference(theirs, ours)).toBeLessThan(1e-4);
  });

  it.skipIf(withoutPeers())('as an ONNX model', async () => {
    const runtime = await nativeRuntime();
    const session = await runtime.InferenceSession.create(headToOnnx(head, backbone));
    const feeds = { pixels: new runtime.Tensor('uint8', two, [2, 224, 224, 3]) };
    const { probabilities } = await session.run(feeds);
    expect(largestDifference(probabilities.data, ours)).toBeLessThan(1e-4);
  });
});

describe('a head of means and deviations at a size of its own', () => {
  const { backbone, head, pixels, probabilities } = sizedHead();

  it('is unsure enough for a difference to show', () => {
    expect(Math.min(...probabilities)).toBeGreaterThan(0.05);
  });

  it('as a TensorFlow.js graph model', async () => {
    const at = networkOf(head, backbone).backbone;
    expect(at.plan.input).toMatchObject({ height: SIDE, width: SIDE });
    const theirs = await run(headToTfjsGraph(head, backbone), at, pixels, 'probabilities');
    expect(largestDifference(theirs, probabilities)).toBeLessThan(1e-5);
  });

  it.skipIf(withoutPeers())('as an ONNX model', async () => {
    const runtime = await nativeRuntime();
    const session = await runtime.InferenceSession.create(headToOnnx(head, backbone));
    const feeds = { pixels: new runtime.Tensor('uint8', pixels, [1, SIDE, SIDE, 3]) };
    const outputs = await session.run(feeds);
    expect(largestDifference(outputs['probabilities'].data, probabilities)).toBeLessThan(1e-5);
  });

  it.skipIf(withoutPeers())('as a TFLite model', async () => {
    const outputs = await runLiteRt(liteRtParts(), headToTflite(head, backbone), pixels, [1, SIDE, SIDE, 3]);
    expect(largestDifference(outputs[1], probabilities)).toBeLessThan(1e-5);
  });

  it('is refused at a size that the backbone does not allow', () => {
    const odd = { ...head, input: { height: 50, width: 50, rules: 2 } } as const;
    expect(() => networkOf(odd, backbone)).toThrow('50×50');
  });
});

describe('any plan as a TensorFlow.js graph model', () => {
  it.each(ACTIVATIONS)('%s', async (activation) => {
    const backbone = oddBackbone(activation);
    const pixels = randomPixels(3, 13 * 10 * 3);
    const expected = referenceCode(backbone, pixels);
    const codes = await run(planToTfjsGraph(backbone), backbone, pixels, 'codes');
    expect(largestDifference(codes, expected) / Math.max(...expected.map(Math.abs))).toBeLessThan(1e-5);
  });

  it('finds a deviation that is small beside the mean', async () => {
    const [backbone, pixels] = [flatBackbone(), flatPixels()];
    const codes = await run(planToTfjsGraph(backbone), backbone, pixels, 'codes');
    expect(largestRelative(codes, referenceCode(backbone, pixels))).toBeLessThan(0.01);
  });

  it('is the same byte for byte each time', () => {
    const [a, b] = [0, 1].map(() => planToTfjsGraph(mobileNet()));
    expect(JSON.stringify(a.json)).toBe(JSON.stringify(b.json));
    expect([...a.shards.keys()]).toEqual([...b.shards.keys()]);
    for (const [name, shard] of a.shards) expect(Buffer.compare(shard, b.shards.get(name)!)).toBe(0);
    expect(Math.max(...Array.from(a.shards.values(), (shard) => shard.length))).toBeLessThanOrEqual(
      4 * 1024 * 1024,
    );
  });
});

describe('the network of a head', () => {
  const backbone = oddBackbone('relu6');
  const { name, version, weightsSha256 } = backbone.plan;
  const headOn = (taps: string[], codeLength: number): Head =>
    importedHead({
      backbone: { name, version, weightsSha256 },
      taps,
      labels: ['a', 'b'],
      weights: Float32Array.from({ length: 2 * codeLength }, (_, i) => Math.sin(i)),
      bias: [0, 0.1],
      prior: { mean: new Float32Array(codeLength), deviation: new Float32Array(codeLength).fill(1) },
      hidden: 0,
    });

  it('has the steps and taps that the head needs', async () => {
    const head = headOn(['early'], 3);
    expect(networkOf(head, backbone).backbone.plan.steps.map((step) => step.name)).toEqual(['early']);
    const pixels = randomPixels(9, 13 * 10 * 3);
    const code = readCode(head, backbone.plan, Float32Array.from(referenceCode(backbone, pixels)));
    const theirs = await run(headToTfjsGraph(head, backbone), backbone, pixels, 'probabilities');
    expect(largestDifference(theirs, score(head, code).probabilities)).toBeLessThan(1e-5);
  });

  it('has what is behind the cut twice where the head reads both: frozen, and as its tail tuned it', async () => {
    const plain = new BackboneMaker(2, 9, 9, 3)
      .conv('stem', 'input', [3, 3, 3, 6], { stride: 2, padding: [1, 1, 1, 1], activation: 'relu6' }, 0.01)
      .depthwise('wide', 'stem', [3, 3, 6], { stride: 1, padding: [1, 1, 1, 1], activation: 'relu6' })
      .squeezeExcite('excited', 'wide', 6, 3)
      .add('joined', 'excited', 'stem')
      .mean('pooled', 'joined')
      .dense('deep', 'pooled', [6, 4], 'hard-swish')
      .load([
        { step: 'stem', channels: 6 },
        { step: 'joined', channels: 6 },
        { step: 'deep', channels: 4 },
      ]);
    const tuned = cutAt(plain.plan, 'stem')
      .tailSteps.flatMap(tensorNames)
      .map((tensor): [string, Float32Array] => [
        tensor,
        inSinglePrecision(plain.tensors.get(tensor)!).map((value) => 0.5 - value),
      ]);
    const { name, version, weightsSha256 } = plain.plan;
    const taps = ['stem', 'deep', 'tail:joined', 'tail:deep'];
    const head = {
      ...headOn(taps, 20),
      backbone: { name, version, weightsSha256 },
      tail: { from: 'stem', tensors: new Map(tuned) },
    };
    expect(networkOf(head, plain).backbone.plan.steps).toHaveLength(11);
    const pixels = randomPixels(4, 9 * 9 * 3);
    const changed = { ...plain, tensors: new Map([...plain.tensors, ...tuned]) };
    const [frozen, own] = [plain, changed].map((each) => Float32Array.from(referenceCode(each, pixels)));
    const ours = score(head, readCode(head, plain.plan, frozen, own.subarray(6))).probabilities;
    const theirs = await run(headToTfjsGraph(head, plain), plain, pixels, 'probabilities');
    expect(largestDifference(theirs, ours)).toBeLessThan(1e-5);
    const untuned = score(head, readCode(head, plain.plan, frozen, frozen.subarray(6))).probabilities;
    expect(largestDifference(theirs, untuned)).toBeGreaterThan(1e-3);
  });

  it('is refused for a head of another backbone', () => {
    const head = headOn(['early'], 3);
    const other = { ...head, backbone: { ...head.backbone, weightsSha256: 'f'.repeat(64) } };
    expect(() => headToOnnx(other, backbone)).toThrow(/backbone/);
    expect(() => headToTfjsGraph(other, backbone)).toThrow(/backbone/);
  });
});
