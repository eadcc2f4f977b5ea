/** Wire schemas of a version's report: what was taken for what, how sure it was, and which examples look wrong. */
import { z } from 'zod';
import { TaughtLabel, Timestamp, VersionNumber } from './common.ts';

/** Examples listed in a report, those whose label the head believes least first. */
export const MAX_HARDEST_EXAMPLES = 50;

export const ReliabilityBin = z
  .object({
    low: z.number(),
    high: z.number(),
    count: z.int(),
    confidence: z.number().meta({ description: 'Mean top probability of the bin.' }),
    accuracy: z.number().meta({ description: 'Share of right answers in the bin.' }),
  })
  .meta({ id: 'ReliabilityBin' });
export type ReliabilityBin = z.infer<typeof ReliabilityBin>;

/** An example as the head sees it that never saw it. */
export const HardExample = z
  .object({
    id: z.string(),
    label: z.string(),
    predicted: z.string().meta({ description: 'The label that the head would give it.' }),
    probability: z.number().meta({ description: 'Of the predicted label.' }),
    label_probability: z
      .number()
      .meta({ description: 'Of its own label: low where it is probably mislabelled.' }),
    picture: z.string().optional().meta({ description: 'SHA-256 of the picture as it was sent.' }),
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
      .meta({ description: 'confusion[truth][predicted], over examples held out.' }),
    reliability: z.array(ReliabilityBin),
    hardest: z.array(HardExample).max(MAX_HARDEST_EXAMPLES),
  })
  .meta({ id: 'VersionReport' });
export type VersionReport = z.infer<typeof VersionReport>;

/** Another of the head's labels, for an example that has the wrong one. */
export const RelabelExample = z.strictObject({ label: TaughtLabel }).meta({ id: 'RelabelExample' });
