/** Wire schemas of the review queue: predictions that a person should look at, and what that person says. */
import { z } from 'zod';
import { Prediction, Unknown } from './classify.ts';
import { TaughtLabel, Timestamp, VersionNumber } from './common.ts';

export const ReviewItem = z
  .object({
    id: z.string().meta({ description: "The prediction's id." }),
    version: VersionNumber,
    predictions: z.array(Prediction),
    unknown: Unknown,
    picture: z.string().optional().meta({ description: 'SHA-256 of the picture as it was sent.' }),
    created_at: Timestamp,
  })
  .meta({ id: 'ReviewItem' });
export type ReviewItem = z.infer<typeof ReviewItem>;

export const ReviewQueue = z
  .object({
    items: z.array(ReviewItem).meta({ description: 'Those whose label would help most first.' }),
  })
  .meta({ id: 'ReviewQueue' });
export type ReviewQueue = z.infer<typeof ReviewQueue>;

/** The right label of a prediction, which becomes an example; null where it is not worth one. */
export const Feedback = z
  .strictObject({ id: z.string().max(64), label: TaughtLabel.nullable() })
  .meta({ id: 'Feedback' });
export type Feedback = z.infer<typeof Feedback>;
