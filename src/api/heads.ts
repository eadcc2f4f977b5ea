/** Wire schemas of heads and their versions. */
import { z } from 'zod';
import { HeadName, pageLimit, Timestamp, VersionNumber } from './common.ts';

const Interval = z.array(z.number()).length(2).describe('95 % confidence interval: low, high.');

/** Metrics of a head file. Fractions from 0 to 1, log-loss in nats. */
export const Metrics = z
  .object({
    examples: z.int(),
    accuracy: z.number(),
    accuracy_interval: Interval,
    macro_f1: z.number(),
    macro_f1_interval: Interval,
    log_loss: z.number(),
    log_loss_interval: Interval,
    ece: z.number().describe('Expected calibration error over 15 bins.'),
  })
  .meta({ id: 'Metrics' });
export type Metrics = z.infer<typeof Metrics>;

/** A class with its metrics over held-out examples. */
export const ClassSummary = z
  .object({
    label: z.string(),
    examples: z.int(),
    precision: z.number().optional(),
    recall: z.number().optional(),
    f1: z.number().optional(),
  })
  .meta({ id: 'ClassSummary' });
export type ClassSummary = z.infer<typeof ClassSummary>;

export const VersionSummary = z
  .object({
    version: VersionNumber,
    current: z.boolean(),
    sha256: z.string(),
    bytes: z.int(),
    created_at: Timestamp,
    classes: z.int(),
    examples: z.int(),
    method: z.string(),
    held_out_by: z
      .string()
      .describe(
        'How the examples of `leave_one_out` were held out: leave-one-out, or for example 4-fold for tuned heads.',
      ),
    leave_one_out: Metrics.nullable().describe(
      'Each example is predicted by a head that was trained without it. null where no class had two examples.',
    ),
    test: Metrics.optional(),
  })
  .meta({ id: 'VersionSummary' });
export type VersionSummary = z.infer<typeof VersionSummary>;

export const HeadSummary = z
  .object({
    head: z.string(),
    version: VersionNumber,
    classes: z.int(),
    versions: z.int(),
    created_at: Timestamp,
  })
  .meta({ id: 'HeadSummary' });
export type HeadSummary = z.infer<typeof HeadSummary>;

/** Heads that one page may hold. */
export const MAX_HEADS_PER_PAGE = 500;

export const HeadsQuery = z.strictObject({
  limit: pageLimit(MAX_HEADS_PER_PAGE),
  after: HeadName.optional().describe('The `next` of the previous page.'),
});

export const HeadList = z
  .object({
    heads: z.array(HeadSummary),
    next: z.string().optional().describe('Send it as `after` to get the next page. Absent on the last page.'),
  })
  .meta({ id: 'HeadList' });
export type HeadList = z.infer<typeof HeadList>;

export const HeadDetail = z
  .object({
    head: z.string(),
    version: VersionNumber.describe('The current version.'),
    created_at: Timestamp,
    classes: z.array(ClassSummary).describe('Classes of the current version.'),
    versions: z.array(VersionSummary).describe('Newest first.'),
  })
  .meta({ id: 'HeadDetail' });
export type HeadDetail = z.infer<typeof HeadDetail>;

export const HeadStored = z
  .object({
    head: z.string(),
    version: VersionNumber,
    created: z.boolean().describe('False where a version with the same content existed already.'),
    sha256: z.string(),
    classes: z.int(),
  })
  .meta({ id: 'HeadStored' });
export type HeadStored = z.infer<typeof HeadStored>;

export const VersionActivated = z
  .object({ head: z.string(), version: VersionNumber })
  .meta({ id: 'VersionActivated' });
