/** Wire schemas of the review queue: uncertain predictions, and their right labels. */
import { z } from 'zod';
import { Prediction, Unknown } from './classify.ts';
import { TaughtLabel, Timestamp, VersionNumber } from './common.ts';

export const ReviewItem = z
  .object({
    id: z.string().describe("The prediction's id."),
    version: VersionNumber,
    predictions: z.array(Prediction),
    unknown: Unknown,
    picture: z.string().optional().describe('SHA-256 of the image file.'),
    created_at: Timestamp,
  })
  .meta({ id: 'ReviewItem' });
export type ReviewItem = z.infer<typeof ReviewItem>;

export const ReviewQueue = z
  .object({
    items: z.array(ReviewItem).describe('Those whose label helps training most come first.'),
  })
  .meta({ id: 'ReviewQueue' });
export type ReviewQueue = z.infer<typeof ReviewQueue>;

/** The right label of a prediction, which becomes an example. null discards the prediction. */
export const Feedback = z
  .strictObject({ id: z.string().max(64), label: TaughtLabel.nullable() })
  .meta({ id: 'Feedback' });
export type Feedback = z.infer<typeof Feedback>;
