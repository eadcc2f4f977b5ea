/** An import must answer as TensorFlow.js does on the original, whoever made it, and refuse what it can't. */
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { readHead, score, writeHead } from '../../../src/head/index.ts';
import { measureClassifier, testPictures } from '../../../trainer/import/parity.ts';
import { importTeachableMachine, PIXEL_SCALE } from '../../../trainer/import/teachable-machine.ts';
import type { ImportedClassifier } from '../../../trainer/import/teachable-machine.ts';
import { tfjsWasm } from '../backbone/files.ts';
import { largerSet, filesIn } from '../photos.ts';
import { filesFrom, metadataOf, mobileNetV1, savedFiles } from './keras.ts';
import { mobileNetV2, V2_SIDE } from './mobilenet-v2.ts';

const LABELS = ['one', 'two', 'three'];
const exported = largerSet('teachable-machine');
/** What the site exported for people, where a machine has some. */
const GIVEN = exported === undefined ? [] : filesIn(exported);

function partsIn(folder: string): Map<string, Uint8Array> {
  const parts = ['model.json', 'weights.bin', 'metadata.json'];
  return new Map(parts.map((name) => [name, new Uint8Array(readFileSync(join(folder, name)))]));
}

async function madeHere(): Promise<Map<string, Uint8Array>> {
  const metadata = metadataOf({ labels: LABELS, grey: false, size: V2_SIDE });
  const parts = await savedFiles(await mobileNetV2({ labels: LABELS }));
  return parts.set('metadata.json', new TextEncoder().encode(JSON.stringify(metadata)));
}

describe('exports of MobileNetV2', () => {
  type Reader = () => Map<string, Uint8Array> | Promise<Map<string, Uint8Array>>;
  it.each<readonly [string, Reader]>([
    ['one made here', madeHere],
    ...GIVEN.map((folder) => [basename(folder), () => partsIn(folder)] as const),
  ])('%s answers as the original', async (_, read) => {
    const parts = await read();
    const files = await filesFrom(parts);
    const imported = importTeachableMachine(
      files,
      JSON.parse(new TextDecoder().decode(parts.get('metadata.json'))),
    );
    const { largestDifference } = await measureClassifier(files, imported, PIXEL_SCALE);
    expect(largestDifference).toBeLessThan(1e-5);
    await expectSameOnSimd(imported);
    expect(imported.plan.taps.map((tap) => tap.channels)).toEqual([1280, 100]);
    const again = readHead(writeHead(imported.head));
    expect(again).toEqual(imported.head);
    expect(again.novelty.threshold).toBeGreaterThan(0);
  });

  it('have the layout of real ones: size, number and order of the weights', async () => {
    const parts = await madeHere();
    const { weightsManifest } = Manifest.parse(JSON.parse(new TextDecoder().decode(parts.get('model.json'))));
    const [{ weights, paths }] = weightsManifest;
    // Read off two real exports; one of three classes has as many bytes.
    expect([weights.length, parts.get('weights.bin')?.length, paths]).toEqual([
      263,
      2_154_432,
      ['weights.bin'],
    ]);
    const names = weights.map(({ name }) => name.replace(/_Dense\d+/, ''));
    expect(names.slice(0, 4)).toEqual([
      'Conv1/kernel',
      'bn_Conv1/gamma',
      'bn_Conv1/beta',
      'expanded_conv_depthwise/depthwise_kernel',
    ]);
    // What training leaves alone comes last.
    expect(names.findIndex((name) => name.includes('moving_'))).toBe(159);
    expect(names.at(-1)).toBe('Conv_1_bn/moving_variance');
    expect(weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0)).toBe(2_154_432);
    for (const folder of GIVEN) {
      const real = Manifest.parse(JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')));
      expect(real.weightsManifest[0].weights.map(({ name }) => name.replace(/_Dense\d+/, ''))).toEqual(names);
    }
  });
});

const Manifest = z.object({
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(z.object({ name: z.string(), shape: z.array(z.int()) })),
    }),
  ),
});

function simdWasm(): WebAssembly.Module {
  const file = join(import.meta.dirname, '../../../build/wasm/engine.wasm');
  return new WebAssembly.Module(readFileSync(file));
}

/** The parity check runs on TensorFlow.js; deployments run on our own engine. */
async function expectSameOnSimd({ backbone, head }: ImportedClassifier): Promise<void> {
  const [reference, simd] = [
    await createTfjsEngine(backbone, tfjsWasm()),
    createSimdEngine(backbone, simdWasm()),
  ];
  for (const pixels of testPictures(backbone, 2)) {
    const [a, b] = [reference, simd].map((engine) => score(head, engine.codes(pixels)).probabilities);
    expect(Math.max(...a.map((value, i) => Math.abs(value - b[i])))).toBeLessThan(5e-5);
  }
}

describe('exports of MobileNetV1, made here', () => {
  it.each([
    { grey: false, size: 96 },
    { grey: true, size: 96 },
    { grey: true, size: 65 },
    { grey: false, size: 65, old: true },
    { grey: true, size: 64, old: true },
  ])('grey: $grey, $size pixels, old: $old', async ({ grey, size, old = false }) => {
    const options = { grey, size, old, labels: LABELS };
    const files = await filesFrom(await savedFiles(await mobileNetV1(options)));
    const imported = importTeachableMachine(files, metadataOf(options));
    const { largestDifference } = await measureClassifier(files, imported, PIXEL_SCALE);
    expect(largestDifference).toBeLessThan(2e-5);
    await expectSameOnSimd(imported);
    // Grey pictures are made inside the first convolution: every backbone reads colours.
    expect(imported.plan.input).toMatchObject({ height: size, width: size, channels: 3 });
    expect(imported.plan.steps.every((step) => !/scaled|activated/.test(step.name))).toBe(true);
  });
});

type Json = {
  modelTopology: { config: { layers: unknown } };
  weightsManifest: { paths: string[]; weights: Weight[] }[];
};
type Weight = { name: string; shape: number[]; dtype: string };

function replaced(from: string, to: string): (json: Json) => void {
  return (json) => {
    Object.assign(json, JSON.parse(JSON.stringify(json).replaceAll(from, to)));
  };
}

describe('hostile and unknown models', async () => {
  const options = { grey: false, size: 65, labels: LABELS };
  const parts = await savedFiles(await mobileNetV1(options));
  const text = new TextDecoder().decode(parts.get('model.json'));
  const importWith = async (
    change: (json: Json) => void,
    metadata = metadataOf(options),
  ): Promise<unknown> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what savedFiles wrote
    const json = JSON.parse(text) as Json;
    change(json);
    const changed = new Map(parts).set('model.json', new TextEncoder().encode(JSON.stringify(json)));
    return importTeachableMachine(await filesFrom(changed), metadata);
  };

  it.each<[string, (json: Json) => void, RegExp]>([
    [
      'unknown layers, by name',
      replaced('"class_name":"DepthwiseConv2D"', '"class_name":"SeparableConv2D"'),
      /conv_dw_1 \(SeparableConv2D\), conv_dw_2/,
    ],
    ['an unknown activation', replaced('"activation":"relu"', '"activation":"swish"'), /activation 'swish'/],
    ['no softmax', replaced('"activation":"softmax"', '"activation":"linear"'), /softmax/],
    [
      'a size beyond all bounds',
      (json) => (json.weightsManifest[0].weights[0].shape = [1e6, 1e6, 1, 1]),
      /takes more than/,
    ],
    ['a side that is no size', (json) => (json.weightsManifest[0].weights[0].shape = [-3, 3, 3, 8]), /shape/],
    [
      'weights that do not fill the shards',
      (json) => json.weightsManifest[0].weights.pop(),
      /hold \d+ bytes where/,
    ],
    [
      'a weight named twice',
      (json) => (json.weightsManifest[0].weights[1].name = json.weightsManifest[0].weights[0].name),
      /two weights/,
    ],
    [
      'a weight of another name',
      (json) => (json.weightsManifest[0].weights[0].name = 'other'),
      /no weight 'conv1\/kernel'/,
    ],
    ['an unknown type', (json) => (json.weightsManifest[0].weights[0].dtype = 'complex64'), /complex64/],
    ['a shard outside the folder', (json) => (json.weightsManifest[0].paths = ['../weights.bin']), /shard/],
    ['no layers', (json) => (json.modelTopology.config.layers = []), /layers/],
    ['an input of absurd size', replaced('[null,65,65,3]', '[null,65,100000,3]'), /batch_input_shape/],
    ['a kernel of another shape', replaced('"kernel_size":[1,1]', '"kernel_size":[3,1]'), /kernel/],
  ])('%s', async (_, change, message) => {
    await expect(importWith(change)).rejects.toThrow(message);
    await expect(importWith(change)).rejects.toMatchObject({ name: 'ModelError' });
  });

  it.each([
    ['too few labels', ['one', 'two'], /3 classes, metadata.json names 2/],
    ['the same label twice', ['one', 'two', 'two'], /twice/],
    ['no labels', undefined, /labels/],
  ])('metadata: %s', async (_, labels, message) => {
    await expect(importWith(() => {}, { labels })).rejects.toThrow(message);
  });

  it('deeply nested models', async () => {
    let layer: unknown = { class_name: 'Dropout', config: { name: 'last' } };
    for (let i = 0; i < 50; i++)
      layer = { class_name: 'Sequential', config: { name: `m${i}`, layers: [layer] } };
    await expect(importWith((json) => (json.modelTopology.config.layers = [layer]))).rejects.toThrow(/nest/);
  });

  it('numbers that are none', async () => {
    const broken = new Map(parts);
    const bytes = parts.get('weights.bin')!.slice();
    new DataView(bytes.buffer).setFloat32(0, NaN, true);
    await expect(
      (async () =>
        importTeachableMachine(await filesFrom(broken.set('weights.bin', bytes)), metadataOf(options)))(),
    ).rejects.toThrow(/not finite/);
  });
});
