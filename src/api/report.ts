/** Wire schemas of a version's report: confusion matrix, reliability, and examples that look mislabelled. */
import { z } from 'zod';
import { TaughtLabel, Timestamp, VersionNumber } from './common.ts';

/** Examples listed in a report, those with the least probable label first. */
export const MAX_HARDEST_EXAMPLES = 50;

export const ReliabilityBin = z
  .object({
    low: z.number(),
    high: z.number(),
    count: z.int(),
    confidence: z.number().describe('Mean top probability in the bin.'),
    accuracy: z.number().describe('Share of right answers in the bin.'),
  })
  .meta({ id: 'ReliabilityBin' });
export type ReliabilityBin = z.infer<typeof ReliabilityBin>;

/** An example with its prediction by a head that was trained without it. */
export const HardExample = z
  .object({
    id: z.string(),
    label: z.string(),
    predicted: z.string().describe('The label that is predicted.'),
    probability: z.number().describe('Of the predicted label.'),
    label_probability: z
      .number()
      .describe('Of its own label. Low where the example is probably mislabelled.'),
    picture: z.string().optional().describe('SHA-256 of the image file.'),
    created_at: Timestamp,
  })
  .meta({ id: 'HardExample' });
export type HardExample = z.infer<typeof HardExample>;

export const VersionReport = z
  .object({
    head: z.string(),
    version: VersionNumber,
    labels: z.array(z.string()),
    confusion: z
      .array(z.array(z.int()))
      .describe('Confusion matrix [truth][predicted] of held-out examples.'),
    reliability: z.array(ReliabilityBin),
    hardest: z.array(HardExample).max(MAX_HARDEST_EXAMPLES),
  })
  .meta({ id: 'VersionReport' });
export type VersionReport = z.infer<typeof VersionReport>;

/** The new label of an example. It must be one of the head's labels. */
export const RelabelExample = z.strictObject({ label: TaughtLabel }).meta({ id: 'RelabelExample' });
