/**
 * The safetensors `__metadata__` of a head file: what each key holds, how it is written, and what a reader checks.
 * docs/head-format.md explains it.
 */
import { z } from 'zod';
import { STATISTICS } from '../backbone/plan.ts';
import { PLAN_LIMITS } from '../backbone/schema.ts';
import { HeadwaterError } from '../errors.ts';
import { hasMoreParts } from '../json-parts.ts';
import { illFormedText } from '../json-text.ts';
import { PIXEL_RULES } from '../image/input.ts';
import type { Head } from './head.ts';
import { labelFault, MAX_CLASSES, MAX_LABEL_LENGTH, MAX_NAME_LENGTH, MAX_TAPS } from './limits.ts';
import { methodText, parseMethod } from './method.ts';
import { count, readMetrics, storedMetrics, writeMetrics } from './metrics.ts';

/** The keys of the first heads. */
export const HEAD_FORMAT = 'headwater-head/1';
/** With `statistics`, `input` and `task`: written where a head needs them, so that others keep their bytes. */
export const HEAD_FORMAT_2 = 'headwater-head/2';

/** The most lists, objects and fields of one value. */
const MAX_PARTS = MAX_CLASSES * MAX_LABEL_LENGTH;

/** Of a backbone, its version, a tap, a method. */
export const Name = z
  .string()
  .min(1)
  .max(MAX_NAME_LENGTH)
  .regex(/^\P{Cc}*$/u, 'holds a control character')
  // JSON Schema's patterns are Unicode ones anyway; the generator would write the flag into the pattern.
  .meta({ pattern: '^\\P{Cc}*$' });
/**
 * Statistics of codes and logits. Real ones lie far inside; with these, and the bounds of tensors in file.ts, every sum and
 * quotient of a score stays finite. An imported head has a spread of 10¹², beside which every distance vanishes.
 */
const LARGEST_STATISTIC = 1e12;
const statistic = z.number().min(-LARGEST_STATISTIC).max(LARGEST_STATISTIC);
const distribution = z.strictObject({
  centre: statistic,
  spread: z.number().min(1e-9).max(LARGEST_STATISTIC),
});
/** Of logits. Those that are fitted lie between 0.01 and 2. */
const temperature = z.number().min(1e-6).max(1e6);
/** 0 where a head was imported; else a share of the squared sums of all codes. */
const lambda = z.union([z.literal(0), z.number().min(1e-12).max(1e18)], {
  error: 'must be 0 or a number from 1e-12 to 1e18',
});

/** In one check: zod would make an object for each item that is none. How many there may be is said elsewhere. */
function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.length >= 2 && value.every((item) => typeof item === 'string');
}

/** How pictures reach the backbone. */
export const PictureInputFields = z.strictObject({
  height: z.int().min(1).max(PLAN_LIMITS.inputSide),
  width: z.int().min(1).max(PLAN_LIMITS.inputSide),
  rules: z.union(PIXEL_RULES.map((rules) => z.literal(rules))),
});

/** What each key holds, as JSON. */
export const FIELDS = {
  backbone: z.strictObject({ name: Name, version: Name, weights_sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  taps: z.array(Name).min(1).max(MAX_TAPS),
  labels: z.custom<string[]>(isTexts, 'must be a list of at least 2 texts'),
  temperature,
  novelty: z.strictObject({ residual: distribution, logit: distribution, threshold: statistic }),
  training: z.strictObject({
    method: Name,
    // An imported head knows of no examples and of no λ: both are 0.
    examples: count,
    counts: z.array(count).max(MAX_CLASSES),
    lambda,
    leave_one_out: storedMetrics.nullable(),
    test: storedMetrics.optional(),
  }),
  tail: z.strictObject({ from: Name }),
};

/** What headwater-head/2 may hold besides. */
const FIELDS_2 = {
  statistics: z.array(z.enum(STATISTICS)).min(1).max(MAX_TAPS),
  input: PictureInputFields,
  task: z.literal('multiclass', {
    error: ({ input }) =>
      input === 'multilabel'
        ? 'heads with several labels a picture are not read yet; train one with a single label a picture'
        : "must be 'multiclass'",
  }),
};

export type HeadMetadata = Pick<
  Head,
  'backbone' | 'taps' | 'statistics' | 'input' | 'labels' | 'temperature' | 'training'
> & {
  readonly novelty: Omit<Head['novelty'], 'directions'>;
};

/** What is read: where the tail begins, if there is one, in the place of the tail itself. */
export type ReadMetadata = HeadMetadata & { readonly tailFrom: string | undefined };

/** @returns the metadata's keys and values; equal heads give equal text. */
export function writeMetadata(head: HeadMetadata & Pick<Head, 'tail'>): Record<string, string> {
  const { backbone, novelty, training } = head;
  const values = {
    backbone: { name: backbone.name, version: backbone.version, weights_sha256: backbone.weightsSha256 },
    taps: head.taps,
    labels: head.labels,
    temperature: head.temperature,
    novelty: {
      residual: { centre: novelty.residual.centre, spread: novelty.residual.spread },
      logit: { centre: novelty.logit.centre, spread: novelty.logit.spread },
      threshold: novelty.threshold,
    },
    training: {
      method: methodText(training.method),
      examples: training.examples,
      counts: training.counts,
      lambda: training.lambda,
      leave_one_out: training.leaveOneOut === null ? null : writeMetrics(training.leaveOneOut),
      ...(training.test === undefined ? {} : { test: writeMetrics(training.test) }),
    },
    ...(head.tail === undefined ? {} : { tail: { from: head.tail.from } }),
    ...writeSpace(head),
  };
  const metadata: Record<string, string> = {
    format: 'statistics' in values || 'input' in values ? HEAD_FORMAT_2 : HEAD_FORMAT,
  };
  for (const [key, value] of Object.entries(values)) metadata[key] = JSON.stringify(value);
  return metadata;
}

/** @throws HeadwaterError `head_invalid` naming the field, `head_too_large` for too many labels or whatever else. */
export function readMetadata(metadata: Readonly<Record<string, string>>): ReadMetadata {
  const fields = fieldsOf(metadata['format']);
  const strange = Object.keys(metadata).find((key) => key !== 'format' && !Object.hasOwn(fields, key));
  if (strange !== undefined)
    throw headInvalid(`its metadata hold an unknown key ${JSON.stringify(strange.slice(0, 100))}`);
  const backbone = readField(metadata, 'backbone', FIELDS.backbone);
  const labels = readField(metadata, 'labels', FIELDS.labels);
  if (labels.length > MAX_CLASSES) {
    throw new HeadwaterError(
      'head_too_large',
      `The head has ${labels.length} labels; the most are ${MAX_CLASSES}.`,
    );
  }
  const fault = labelFault(labels);
  if (fault !== undefined) throw headInvalid(fault);
  const training = readField(metadata, 'training', FIELDS.training);
  checkPerClass(training, labels.length);
  return {
    backbone: { name: backbone.name, version: backbone.version, weightsSha256: backbone.weights_sha256 },
    ...readSpace(metadata),
    labels,
    temperature: readField(metadata, 'temperature', FIELDS.temperature),
    novelty: readField(metadata, 'novelty', FIELDS.novelty),
    tailFrom: Object.hasOwn(metadata, 'tail') ? readField(metadata, 'tail', FIELDS.tail).from : undefined,
    training: {
      method: parseMethod(training.method),
      examples: training.examples,
      counts: training.counts,
      lambda: training.lambda,
      leaveOneOut: training.leave_one_out === null ? null : readMetrics(training.leave_one_out),
      ...(training.test === undefined ? {} : { test: readMetrics(training.test) }),
    },
  };
}

/** Which keys a file of a format may have. @throws HeadwaterError `head_invalid` for another format. */
function fieldsOf(format: string | undefined): object {
  if (format === HEAD_FORMAT) return FIELDS;
  if (format === HEAD_FORMAT_2) return { ...FIELDS, ...FIELDS_2 };
  throw headInvalid(
    `its format is ${JSON.stringify(format ?? null).slice(0, 50)}, neither '${HEAD_FORMAT}' nor '${HEAD_FORMAT_2}'`,
  );
}

/** Only what older files could not say. */
function writeSpace({ statistics, input }: HeadMetadata): Pick<HeadMetadata, 'statistics' | 'input'> {
  const onlyMeans = statistics?.every((statistic) => statistic === 'mean') ?? true;
  return {
    ...(onlyMeans ? {} : { statistics }),
    ...(input === undefined
      ? {}
      : { input: { height: input.height, width: input.width, rules: input.rules } }),
  };
}

function readSpace(
  metadata: Readonly<Record<string, string>>,
): Pick<HeadMetadata, 'taps' | 'statistics' | 'input'> {
  const has = (key: keyof typeof FIELDS_2): boolean => Object.hasOwn(metadata, key);
  const taps = readField(metadata, 'taps', FIELDS.taps);
  const statistics = has('statistics') ? readField(metadata, 'statistics', FIELDS_2.statistics) : undefined;
  if (statistics !== undefined && statistics.length !== taps.length)
    throw headInvalid(`statistics has ${statistics.length} entries for ${taps.length} taps`);
  const input = has('input') ? readField(metadata, 'input', FIELDS_2.input) : undefined;
  if (has('task')) readField(metadata, 'task', FIELDS_2.task);
  return {
    taps,
    ...(statistics === undefined ? {} : { statistics }),
    ...(input === undefined ? {} : { input }),
  };
}

export function headInvalid(what: string, cause?: unknown): HeadwaterError {
  return new HeadwaterError('head_invalid', `The head file is not valid: ${what}.`, { cause });
}

function readField<T>(metadata: Readonly<Record<string, string>>, key: string, schema: z.ZodType<T>): T {
  if (!Object.hasOwn(metadata, key)) throw headInvalid(`its metadata lack '${key}'`);
  if (hasMoreParts(metadata[key], MAX_PARTS))
    throw new HeadwaterError(
      'head_too_large',
      `The head's metadata '${key}' hold more than ${MAX_PARTS} lists, objects and fields.`,
    );
  let value: unknown;
  try {
    value = JSON.parse(metadata[key]);
  } catch (cause) {
    throw headInvalid(`its metadata '${key}' are not JSON`, cause);
  }
  if (illFormedText(metadata[key], value) !== undefined)
    throw headInvalid(`its metadata '${key}' hold half of a surrogate pair`);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw headInvalid(`${[key, ...issue.path].join('.')}: ${issue.message}`);
}

function checkPerClass(training: z.infer<typeof FIELDS.training>, classes: number): void {
  const { counts, examples, leave_one_out: leaveOneOut, test } = training;
  if (counts.length !== classes)
    throw headInvalid(`training.counts has ${counts.length} entries for ${classes} labels`);
  if (counts.reduce((sum, each) => sum + each, 0) !== examples) {
    throw headInvalid(`training.counts do not add up to training.examples`);
  }
  for (const [key, value] of [
    ['leave_one_out', leaveOneOut],
    ['test', test],
  ] as const) {
    if (value && value.per_class.length !== classes) {
      throw headInvalid(
        `training.${key}.per_class has ${value.per_class.length} entries for ${classes} labels`,
      );
    }
  }
}
