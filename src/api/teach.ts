/** Wire schemas of teaching: examples in, a new version out, and examples forgotten. */
import { z } from 'zod';
import { MAX_CODE_LENGTH } from '../head/limits.ts';
import { numberList } from '../number-list.ts';
import {
  BackboneId,
  CodeSpace,
  HeadName,
  Label,
  TaughtLabel,
  pageLimit,
  Timestamp,
  VersionNumber,
} from './common.ts';
import { ClassSummary, Metrics } from './heads.ts';

/** Examples that one request may bring. */
export const MAX_EXAMPLES_PER_REQUEST = 256;
/** URLs among them: each is fetched while the caller waits. */
export const MAX_URLS_PER_REQUEST = 32;
export const MAX_EXAMPLES_PER_PAGE = 500;

const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const TeachQuery = z.strictObject({
  train: Flag.default(true).meta({ description: 'false only stores the examples.', type: 'boolean' }),
});

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');

const Lesson = z.union(
  [
    z.strictObject({ label: TaughtLabel, image: z.string() }),
    z.strictObject({ label: TaughtLabel, url: z.string() }),
    z.strictObject({
      label: TaughtLabel,
      code: z.union([z.string(), numberList({ least: 1, most: MAX_CODE_LENGTH })]),
      picture: Sha256.optional().meta({
        description: "The picture's SHA-256, so that it is known when it comes again in another form.",
      }),
    }),
  ],
  {
    error:
      'must be {"label", "image": "<base64>"}, {"label", "url": "https://…"} or {"label", "code": as /v1/embed answers it}',
  },
);

export const TeachBody = z
  .strictObject({
    examples: z.array(Lesson).min(1).max(MAX_EXAMPLES_PER_REQUEST),
    backbone: BackboneId.optional().meta({
      description: 'Whose codes these are, as /v1/embed says. Needed where there are codes.',
    }),
    space: CodeSpace.optional().meta({
      description:
        "Which codes of the backbone these are, as /v1/embed says. Where absent: all its taps' means at its own size by rules 1; with `base` those of the uploaded head.",
    }),
    base: Sha256.optional().meta({
      description: 'Where they are codes of an uploaded head: its hash, as /v1/embed?head= says.',
    }),
  })
  .meta({ id: 'TeachBody' });
export type TeachBody = z.infer<typeof TeachBody>;

/** How a class fares against the version before. */
export const ClassChange = z
  .object({
    label: z.string(),
    change: z.enum(['added', 'removed', 'kept']),
    examples: z.int().meta({ description: 'More examples than before; fewer where negative.' }),
    recall: z.number().optional().meta({ description: 'Higher than before; lower where negative.' }),
  })
  .meta({ id: 'ClassChange' });

export const Changes = z
  .object({
    from_version: VersionNumber,
    accuracy: z.number().optional().meta({ description: 'Held-out accuracy, higher than before.' }),
    old_classes_accuracy: z
      .number()
      .optional()
      .meta({ description: 'The same over the classes that both versions have: what the guard looks at.' }),
    classes: z.array(ClassChange).meta({ description: 'Classes that differ.' }),
  })
  .meta({ id: 'Changes' });
export type Changes = z.infer<typeof Changes>;

export const Taught = z
  .object({
    head: HeadName,
    version: VersionNumber.optional().meta({ description: 'Absent where nothing was trained.' }),
    current: z
      .boolean()
      .optional()
      .meta({ description: 'Whether that version answers now. False where the guard held it back.' }),
    added: z.int().optional().meta({ description: 'Examples that are new.' }),
    duplicates: z.int().optional().meta({ description: 'Pictures that were there under the same label.' }),
    forgotten: z.int().optional().meta({ description: 'Examples that are gone.' }),
    examples: z.int().meta({ description: 'Of the head, all together.' }),
    classes: z
      .array(ClassSummary)
      .meta({ description: 'With metrics over examples held out, of the version named.' }),
    held_out_by: z.string().optional().meta({
      description: 'How the examples were held out that `leave_one_out` is over: leave-one-out, or 10-fold.',
    }),
    // Not `.nullable()`: the document names Metrics by reference, and the null would be lost beside it.
    leave_one_out: z.union([Metrics, z.null()]).optional(),
    changes: Changes.optional().meta({ description: 'Against the version before.' }),
    missing: z.string().optional().meta({ description: 'What a head still lacks before it can be trained.' }),
    held_back: z.string().optional().meta({ description: 'Why the guard did not make the version current.' }),
  })
  .meta({ id: 'Taught' });
export type Taught = z.infer<typeof Taught>;

export const ExampleSource = z.enum(['picture', 'url', 'code', 'feedback']);
export type ExampleSource = z.infer<typeof ExampleSource>;

export const ExampleSummary = z
  .object({
    id: z.string(),
    label: z.string(),
    picture: z.string().meta({ description: 'SHA-256 of the picture, or of its code where only that came.' }),
    source: ExampleSource,
    has_image: z.boolean().meta({ description: 'Whether the picture itself is kept: see `…/image`.' }),
    created_at: Timestamp,
  })
  .meta({ id: 'ExampleSummary' });
export type ExampleSummary = z.infer<typeof ExampleSummary>;

export const ExamplesQuery = z.strictObject({
  label: Label.optional(),
  limit: pageLimit(MAX_EXAMPLES_PER_PAGE),
  after: z.string().max(64).optional().meta({ description: 'The `next` of the page before.' }),
});

export const ExampleList = z
  .object({
    examples: z.array(ExampleSummary),
    total: z.int(),
    next: z.string().optional().meta({ description: 'Where the next page begins, if there is one.' }),
  })
  .meta({ id: 'ExampleList' });
export type ExampleList = z.infer<typeof ExampleList>;
