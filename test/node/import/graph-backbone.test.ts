/** A graph model must become a backbone that computes what TensorFlow.js computes from the original. */
import { describe, expect, it } from 'vitest';
import { createTfjsEngine } from '../../../src/backbone/tfjs/engine.ts';
import { planToTfjsGraph } from '../../../src/export/index.ts';
import type { TfjsModel } from '../../../src/export/index.ts';
import { importGraphBackbone } from '../../../trainer/import/graph/backbone.ts';
import type { GraphBackboneOptions } from '../../../trainer/import/graph/backbone.ts';
import { measureGraph } from '../../../trainer/import/graph/parity.ts';
import { modelCard } from '../../../trainer/import/model-card.ts';
import { mobileNet, tfjsWasm } from '../backbone/files.ts';
import { randomPixels } from '../backbone/random.ts';
import { filesOf, GraphMaker, v1, v2, v3 } from './graphs.ts';

const FOUND = { name: 'found', source: 'this test', size: 32 };
const UNIT = { low: 0, high: 1 };
const SIGNED = { low: -1, high: 1 };
const BYTES = { low: 0, high: 255 };

describe('graph models with the operators of published ones', () => {
  it.each([
    { family: 'V1', make: v1, pixels: UNIT, taps: ['d1', 'd2', 'd3', 'last'] },
    { family: 'V2', make: v2, pixels: SIGNED, taps: ['d1', 'd2', 'last'] },
    { family: 'V3', make: v3, pixels: BYTES, taps: ['d0', 'd1', 'last'] },
  ])('$family', async ({ make, pixels, taps: expected }) => {
    const files = await filesOf(make(32).graph.build({}));
    const imported = importGraphBackbone(files, { ...FOUND, pixels });
    const { taps, text } = await measureGraph(files, imported, pixels);
    expect(taps.map((tap) => tap.name)).toEqual(expected);
    for (const tap of taps) expect(tap.relativeDifference, tap.name).toBeLessThan(1e-5);
    // Everything was folded: no step is there only to scale or to clip.
    expect(imported.plan.steps.filter((step) => /scaled|activated/.test(step.name))).toEqual([]);
    expect(imported.plan.steps.some((step) => 'batchNorm' in step)).toBe(true);
    expect(modelCard(imported.plan, imported.weights, { ...imported.description, parity: text })).toContain(
      text,
    );
  });
});

describe('our own backbone, exported', () => {
  it('comes back with the same codes', async () => {
    const backbone = mobileNet();
    const files = await filesOf(planToTfjsGraph(backbone));
    const imported = importGraphBackbone(files, { ...FOUND, pixels: BYTES });
    const { taps } = await measureGraph(files, imported, BYTES);
    expect(taps).toHaveLength(6);
    const pixels = randomPixels(1, 224 * 224 * 3);
    const [ours, theirs] = await Promise.all(
      [backbone, imported.backbone].map(async (each) =>
        (await createTfjsEngine(each, tfjsWasm())).codes(pixels),
      ),
    );
    const largest = Math.max(...ours.map(Math.abs));
    expect(theirs.length).toBe(ours.length);
    expect(Math.max(...ours.map((value, i) => Math.abs(value - theirs[i]))) / largest).toBeLessThan(1e-5);
  });
});

function smallest(g: GraphMaker, x: string): TfjsModel {
  g.mean(g.op('Relu', [g.depthwise(x, [3, 3], 1, 'SAME')]), true);
  return g.graph.build({});
}

function picture(g: GraphMaker): string {
  return g.graph.input('input', [-1, 32, 32, 3]);
}

describe('what cannot be imported', () => {
  const options: GraphBackboneOptions = { ...FOUND, pixels: UNIT };
  const importing = async (model: TfjsModel, more: Partial<GraphBackboneOptions> = {}): Promise<unknown> =>
    importGraphBackbone(await filesOf(model), { ...options, ...more });

  it.each<[string, (g: GraphMaker) => TfjsModel, RegExp]>([
    [
      'operators, all by name',
      (g) => smallest(g, g.op('LeakyRelu', [g.op('Cumsum', [picture(g)])])),
      /Cumsum_0 \(Cumsum\), LeakyRelu_1 \(LeakyRelu\)/,
    ],
    [
      'a product of unrelated maps',
      (g) => {
        const x = picture(g);
        return smallest(g, g.op('Mul', [x, g.depthwise(x, [3, 3], 1, 'SAME')]));
      },
      /neither hard-swish/,
    ],
    [
      'a dilated convolution',
      (g) => smallest(g, g.conv(picture(g), [3, 3, 3], 1, 'SAME', { dilations: [1, 2, 2, 1] })),
      /dilated/,
    ],
    [
      'channels first',
      (g) => smallest(g, g.conv(picture(g), [3, 3, 3], 1, 'SAME', { data_format: 'NCHW' })),
      /channels first/,
    ],
    [
      'a loop',
      (g) => {
        const x = picture(g);
        g.graph.node('Relu', 'a', ['b']);
        g.graph.node('Relu', 'b', ['a']);
        return smallest(g, x);
      },
      /reads its own output/,
    ],
    [
      'a node that is missing',
      (g) => {
        picture(g);
        return smallest(g, 'nowhere');
      },
      /'nowhere', which does not exist/,
    ],
    [
      'two inputs',
      (g) => {
        g.graph.input('second', [-1, 32, 32, 3]);
        return smallest(g, picture(g));
      },
      /second input/,
    ],
    [
      'no depthwise layer',
      (g) => {
        g.mean(g.conv(picture(g), [3, 3, 3], 1, 'SAME'), true);
        return g.graph.build({});
      },
      /no depthwise layer/,
    ],
    [
      'no mean',
      (g) => {
        g.op('Relu', [g.depthwise(picture(g), [3, 3], 1, 'SAME')]);
        return g.graph.build({});
      },
      /averages no feature map/,
    ],
    [
      'an average over a part',
      (g) =>
        smallest(
          g,
          g.op('AvgPool', [picture(g)], { ksize: [1, 2, 2, 1], strides: [1, 2, 2, 1], padding: 'VALID' }),
        ),
      /less than the whole/,
    ],
    [
      'feature maps joined',
      (g) => {
        const x = picture(g);
        return smallest(g, g.op('ConcatV2', [x, x, g.integers([], [1])]));
      },
      /joins or cuts/,
    ],
    [
      'padding of channels',
      (g) => smallest(g, g.op('Pad', [picture(g), g.integers([4, 2], [0, 0, 0, 0, 0, 0, 1, 1])])),
      /around the map/,
    ],
    [
      'a kernel of other channels',
      (g) => smallest(g, g.conv(picture(g), [3, 5, 3], 1, 'SAME')),
      /reads 5 channels/,
    ],
  ])('%s', async (_, make, message) => {
    const attempt = importing(make(new GraphMaker(4)));
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toMatchObject({ name: 'ModelError' });
  });

  it('pictures of unsaid or absurd size', async () => {
    const g = v2(32);
    const model = g.graph.build({});
    const { size: _size, ...sizeless } = options;
    await expect((async () => importGraphBackbone(await filesOf(model), sizeless))()).rejects.toThrow(
      /--size/,
    );
    await expect(importing(model, { size: 100_000 })).rejects.toThrow(/at most 1024/);
    await expect(importing(model, { size: 33.5 })).rejects.toThrow(/at most 1024/);
  });

  it('thousands of nodes in a row, without exhausting the stack', async () => {
    const g = new GraphMaker(5);
    let x = picture(g);
    for (let i = 0; i < 8000; i++) x = g.op('Identity', [x]);
    await expect(importing(smallest(g, x))).resolves.toMatchObject({
      tapNodes: [expect.any(String), expect.any(String)],
    });
  });
});
