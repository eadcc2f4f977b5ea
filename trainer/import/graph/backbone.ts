/**
 * A graph model of the MobileNet family becomes a backbone: everything up to the last feature map, without the
 * classifier, with taps at depths from a third of the network on, as the built-in backbone has them.
 */
import type { Tap } from '../../../src/backbone/index.ts';
import { PLAN_LIMITS } from '../../../src/backbone/schema.ts';
import { encodeBackbone, type BackboneFiles } from '../backbone-files.ts';
import { PlanEmitter } from '../emit.ts';
import type { MakeInput } from '../layers/model.ts';
import { readGraphModel } from './model.ts';
import { unsupported } from '../model-error.ts';
import type { ModelFiles } from '../model-files.ts';
import { isPixel, type Root, type Value } from '../symbolic.ts';
import { pictureValue } from '../teachable-machine.ts';
import { readWeights } from '../weights.ts';

/** The range that pixels from 0 to 255 are scaled to before the graph reads them. */
export interface PixelRange {
  readonly low: number;
  readonly high: number;
}

export interface GraphBackboneOptions {
  readonly name: string;
  readonly pixels: PixelRange;
  /** Side of the picture, where the graph leaves it open. */
  readonly size?: number | undefined;
  /** Where the model comes from, for the model card, in Markdown. */
  readonly source: string;
}

export interface GraphBackbone extends BackboneFiles {
  /** Name of the graph's input, and the node behind each tap: what to compare with. */
  readonly input: string;
  readonly tapNodes: readonly string[];
}

/** Where along the depthwise layers the built-in backbone has its taps: blocks 3, 5, 7, 9 and 10 of 0 to 10. */
const TAP_DEPTHS = [0.3, 0.5, 0.7, 0.9, 1];

/** @throws ModelError */
export function importGraphBackbone(files: ModelFiles, options: GraphBackboneOptions): GraphBackbone {
  if (files.format === 'layers-model') {
    throw unsupported(
      'it is a layers model; a backbone comes as a graph model (convert it with tensorflowjs_converter)',
    );
  }
  const weights = readWeights(files.manifest, files.groups);
  const { input, values } = readGraphModel(files.topology, weights, pictureOf(options));
  const taps = chooseTaps(values);
  const emitter = new PlanEmitter();
  const written: Tap[] = taps.map(({ name, value }) => ({
    name,
    step: emitter.exact(value),
    channels: value.shape.channels,
  }));
  const { height, width } = values.get(input)!.shape;
  const backbone = encodeBackbone(emitter, {
    name: options.name,
    version: files.sha256.slice(0, 12),
    input: { height, width, channels: 3 },
    taps: written,
    title: 'a TensorFlow.js graph model',
    source: options.source,
  });
  return { ...backbone, input, tapNodes: taps.map(({ node }) => node) };
}

interface ChosenTap {
  readonly name: string;
  readonly node: string;
  readonly value: Value;
}

/** Activated outputs of depthwise layers at the depths above, and the map that the classifier averages. */
function chooseTaps(values: ReadonlyMap<string, Value>): ChosenTap[] {
  const depthwise = new Map<Root, ChosenTap>();
  let last: ChosenTap | undefined;
  for (const [node, value] of values) {
    if (value.root.op === 'depthwise' && value.bend.kind !== 'none') {
      const index = depthwise.get(value.root)?.name ?? `d${depthwise.size}`;
      depthwise.set(value.root, { name: index, node, value });
    }
    if (value.root.op === 'mean' && !isPixel(value.root.input))
      last = { name: 'last', node, value: value.root.input };
  }
  const layers = [...depthwise.values()];
  if (last === undefined)
    throw unsupported('it averages no feature map, as every MobileNet does before its classifier');
  if (layers.length === 0)
    throw unsupported('it has no depthwise layer with an activation, as every MobileNet has');
  const places = new Set(TAP_DEPTHS.map((depth) => Math.round(depth * (layers.length - 1))));
  const taps = [...[...places].map((place) => layers[place]), last];
  const length = taps.reduce((sum, { value }) => sum + value.shape.channels, 0);
  if (length > PLAN_LIMITS.channels) throw unsupported(`its taps would give codes of ${length} numbers`);
  return taps;
}

function pictureOf({ pixels, size }: GraphBackboneOptions): MakeInput {
  return ({ height, width, channels }) => {
    const [rows, columns] = [height, width].map((side) => (side > 0 ? side : size));
    if (rows === undefined || columns === undefined) {
      throw unsupported('it takes pictures of any size; say which with --size, for example 224');
    }
    if (![rows, columns].every((side) => Number.isInteger(side) && side <= PLAN_LIMITS.inputSide)) {
      throw unsupported(
        `its pictures have ${rows}×${columns} pixels; at most ${PLAN_LIMITS.inputSide} a side are possible`,
      );
    }
    const scale = (pixels.high - pixels.low) / 255;
    return pictureValue({ height: rows, width: columns, channels }, scale, pixels.low);
  };
}
