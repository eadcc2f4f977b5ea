/** What the JSON of a layers model must look like before anything in it is believed, and which layers are known. */
import * as z from 'zod';
import { MAX_NAME_LENGTH, MAX_NESTING, MAX_NODES } from '../limits.ts';
import { invalid } from '../model-error.ts';

const name = z.string().min(1).max(MAX_NAME_LENGTH);
export const layerSchema = z.object({
  class_name: name,
  name: name.optional(),
  config: z.record(z.string(), z.unknown()),
  inbound_nodes: z.array(z.unknown()).max(64).optional(),
});
export type LayerJson = z.infer<typeof layerSchema>;
const layersSchema = z.array(layerSchema).min(1).max(MAX_NODES);
export const referenceSchema = z.tuple([name, z.int(), z.int()]).rest(z.unknown());
export const functionalSchema = z.object({
  name: name.optional(),
  layers: layersSchema,
  input_layers: z.array(z.unknown()).min(1).max(64),
  output_layers: z.array(z.unknown()).min(1).max(64),
});
const sequentialSchema = z.union([layersSchema, z.object({ layers: layersSchema })]);

const pair = z.tuple([z.int().min(1).max(64), z.int().min(1).max(64)]);
const border = z.int().min(0).max(31);
const channelsLast = z.enum(['channels_last']).nullish();
const biased = z.object({ activation: z.string().nullish(), use_bias: z.boolean().nullish() });
export type Biased = z.infer<typeof biased>;
export const CONFIGS = {
  input: z.object({ batch_input_shape: z.array(z.int().min(1).max(1024).nullable()).min(2).max(4) }),
  convolution: biased.extend({
    kernel_size: pair,
    strides: pair,
    padding: z.enum(['valid', 'same']),
    data_format: channelsLast,
    dilation_rate: z.array(z.literal(1)).nullish(),
    depth_multiplier: z.literal(1).nullish(),
    groups: z.literal(1).nullish(),
  }),
  dense: biased.extend({ units: z.int().min(1).max(16_384) }),
  batchNorm: z.object({
    epsilon: z.number().min(0).max(1),
    axis: z.union([z.int(), z.array(z.int()).length(1)]).nullish(),
    center: z.boolean().nullish(),
    scale: z.boolean().nullish(),
  }),
  padding: z.object({
    padding: z.tuple([z.tuple([border, border]), z.tuple([border, border])]),
    data_format: channelsLast,
  }),
  relu: z.object({
    max_value: z.number().positive().nullish(),
    negative_slope: z.union([z.literal(0), z.array(z.literal(0))]).nullish(),
    threshold: z.literal(0).nullish(),
  }),
  activation: z.object({ activation: z.string() }),
  pooling: z.object({ data_format: channelsLast }),
};

export const MODELS = ['Sequential', 'Model', 'Functional'];

/** @returns the layers whose class is none of these, with their classes. */
export function unknownLayers(layer: LayerJson, known: ReadonlySet<string>, depth = 0): string[] {
  if (depth > MAX_NESTING) throw invalid(`its models nest deeper than ${MAX_NESTING}`);
  if (!known.has(layer.class_name)) return [`${nameOf(layer)} (${layer.class_name.slice(0, 60)})`];
  if (!MODELS.includes(layer.class_name)) return [];
  return layersOf(layer).flatMap((inner) => unknownLayers(inner, known, depth + 1));
}

export function layersOf(layer: LayerJson): LayerJson[] {
  if (layer.class_name !== 'Sequential') return check(functionalSchema, layer.config, nameOf(layer)).layers;
  const config = check(sequentialSchema, layer.config, nameOf(layer));
  return Array.isArray(config) ? config : config.layers;
}

export function nameOf(layer: LayerJson): string {
  const { name: own } = layer.config;
  return (
    layer.name ?? (typeof own === 'string' && own !== '' ? own.slice(0, MAX_NAME_LENGTH) : layer.class_name)
  );
}

export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw invalid(`${where}: ${[...issue.path.map(String), issue.message].join(' ')}`);
}
