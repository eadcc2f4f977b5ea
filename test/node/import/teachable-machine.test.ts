/** An import must answer as TensorFlow.js does on the original, whoever made it, and refuse what it can't. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { createSimdEngine } from '../../../src/backbone/simd/index.ts';
import { readHead, score, writeHead } from '../../../src/head/index.ts';
import { fromFolder, readModelFiles } from '../../../trainer/import/model-files.ts';
import { measureClassifier, testPictures } from '../../../trainer/import/parity.ts';
import { importTeachableMachine, PIXEL_SCALE } from '../../../trainer/import/teachable-machine.ts';
import type { ImportedClassifier } from '../../../trainer/import/teachable-machine.ts';
import { tfjsWasm } from '../backbone/files.ts';
import { filesFrom, metadataOf, mobileNetV1, savedFiles } from './keras.ts';

const data = join(import.meta.dirname, '../../../../shared/data/teachable-machine');
const given = existsSync(data);

describe.skipIf(!given)('real exports (skipped where ../shared/data/teachable-machine is absent)', () => {
  it.each(given ? readdirSync(data) : [])('%s answers as the original', async (name) => {
    const folder = join(data, name);
    const files = await readModelFiles(fromFolder(folder));
    const imported = importTeachableMachine(
      files,
      JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8')),
    );
    const { largestDifference } = await measureClassifier(files, imported, PIXEL_SCALE);
    expect(largestDifference).toBeLessThan(1e-5);
    await expectSameOnSimd(imported);
    expect(imported.plan.taps.map((tap) => tap.channels)).toEqual([1280, 100]);
    const read = readHead(writeHead(imported.head));
    expect(read).toEqual(imported.head);
    expect(read.novelty.threshold).toBeGreaterThan(0);
  });
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

const LABELS = ['one', 'two', 'three'];

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
