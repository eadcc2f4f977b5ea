/** Wire schemas of teaching: adding examples, training a new version, and deleting examples. */
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

/** The most examples of one request. */
export const MAX_EXAMPLES_PER_REQUEST = 256;
/** URLs among them: each is fetched while the caller waits. */
export const MAX_URLS_PER_REQUEST = 32;
export const MAX_EXAMPLES_PER_PAGE = 500;

const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

export const TeachQuery = z.strictObject({
  train: Flag.default(true).meta({
    description: 'false stores the examples without training.',
    type: 'boolean',
  }),
});

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');

const TaughtExample = z.union(
  [
    z.strictObject({ label: TaughtLabel, image: z.string() }),
    z.strictObject({ label: TaughtLabel, url: z.string() }),
    z.strictObject({
      label: TaughtLabel,
      code: z.union([z.string(), numberList({ least: 1, most: MAX_CODE_LENGTH })]),
      picture: Sha256.optional().describe(
        'SHA-256 of the image file, so that the same image is recognised in a later request.',
      ),
    }),
  ],
  {
    error:
      'must be {"label", "image": "<base64>"}, {"label", "url": "https://…"} or {"label", "code": as /v1/embed answers it}',
  },
);

export const TeachBody = z
  .strictObject({
    examples: z.array(TaughtExample).min(1).max(MAX_EXAMPLES_PER_REQUEST),
    backbone: BackboneId.optional().describe(
      'The backbone of the codes, as /v1/embed answers it. Required with codes.',
    ),
    space: CodeSpace.optional().describe(
      "The code space, as /v1/embed answers it. Default: the means of all taps at the backbone's own size by rules 1; with `base` the space of the uploaded head.",
    ),
    base: Sha256.optional().describe(
      'The SHA-256 of the uploaded head whose codes these are, as /v1/embed?head= answers it.',
    ),
  })
  .meta({ id: 'TeachBody' });
export type TeachBody = z.infer<typeof TeachBody>;

/** A class compared with the previous version. */
export const ClassChange = z
  .object({
    label: z.string(),
    change: z.enum(['added', 'removed', 'kept']),
    examples: z.int().describe('Number of examples compared with before. May be negative.'),
    recall: z.number().optional().describe('Recall compared with before. May be negative.'),
  })
  .meta({ id: 'ClassChange' });

export const Changes = z
  .object({
    from_version: VersionNumber,
    accuracy: z.number().optional().describe('Held-out accuracy compared with before. May be negative.'),
    old_classes_accuracy: z
      .number()
      .optional()
      .describe('The same over the classes of both versions. The guard compares it with its margin.'),
    classes: z.array(ClassChange).describe('Classes that changed.'),
  })
  .meta({ id: 'Changes' });
export type Changes = z.infer<typeof Changes>;

export const Taught = z
  .object({
    head: HeadName,
    version: VersionNumber.optional().describe('Absent where nothing was trained.'),
    current: z
      .boolean()
      .optional()
      .describe('Whether that version answers now. False where the guard held it back.'),
    added: z.int().optional().describe('New examples.'),
    duplicates: z.int().optional().describe('Images that were known under the same label.'),
    forgotten: z.int().optional().describe('Deleted examples.'),
    examples: z.int().describe('All examples of the head.'),
    classes: z.array(ClassSummary).describe('Of the version, with metrics over held-out examples.'),
    held_out_by: z
      .string()
      .optional()
      .describe('How the examples of `leave_one_out` were held out: leave-one-out, or for example 8-fold.'),
    // Not `.nullable()`: the document names Metrics by reference, and the null would be lost beside it.
    leave_one_out: z.union([Metrics, z.null()]).optional(),
    changes: Changes.optional().describe('Compared with the previous version.'),
    missing: z.string().optional().describe('What the head needs before it can be trained.'),
    held_back: z.string().optional().describe('Why the guard did not make the version current.'),
  })
  .meta({ id: 'Taught' });
export type Taught = z.infer<typeof Taught>;

export const ExampleSource = z.enum(['picture', 'url', 'code', 'feedback']);
export type ExampleSource = z.infer<typeof ExampleSource>;

export const ExampleSummary = z
  .object({
    id: z.string(),
    label: z.string(),
    picture: z.string().describe('SHA-256 of the image file, or of the code where only that was sent.'),
    source: ExampleSource,
    has_image: z.boolean().describe('Whether the image is kept. `…/image` answers it.'),
    created_at: Timestamp,
  })
  .meta({ id: 'ExampleSummary' });
export type ExampleSummary = z.infer<typeof ExampleSummary>;

export const ExamplesQuery = z.strictObject({
  label: Label.optional(),
  limit: pageLimit(MAX_EXAMPLES_PER_PAGE),
  after: z.string().max(64).optional().describe('The `next` of the previous page.'),
});

export const ExampleList = z
  .object({
    examples: z.array(ExampleSummary),
    total: z.int(),
    next: z.string().optional().describe('Send it as `after` to get the next page. Absent on the last page.'),
  })
  .meta({ id: 'ExampleList' });
export type ExampleList = z.infer<typeof ExampleList>;
