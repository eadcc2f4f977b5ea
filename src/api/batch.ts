/** Wire schemas of classify-batch: many images in; a line of JSON for each, sent as soon as it is ready. */
import { z } from 'zod';
import { ClassifyQuery, Prediction, Unknown } from './classify.ts';
import { ImageInfo, Problem, VersionNumber } from './common.ts';

export const MAX_BATCH_PICTURES = 100;

export const BatchQuery = ClassifyQuery.omit({ explain: true, explain_format: true });

const Place = {
  index: z.int().describe('Of the image in the request, from 0.'),
  name: z.string().describe("The file's name, or '' where it has none."),
};

export const BatchResult = z
  .object({
    ...Place,
    id: z
      .string()
      .optional()
      .describe('The id of the prediction, for feedback. Only where it is kept for review.'),
    version: VersionNumber.optional().describe(
      'The version that answered, where it is not the one of the last line: the canary.',
    ),
    predictions: z.array(Prediction),
    unknown: Unknown,
    image: ImageInfo,
  })
  .meta({ id: 'BatchResult' });
export type BatchResult = z.infer<typeof BatchResult>;

export const BatchProblem = z.object({ ...Place, problem: Problem }).meta({ id: 'BatchProblem' });
export type BatchProblem = z.infer<typeof BatchProblem>;

export const BatchSummary = z
  .object({
    head: z.string(),
    version: VersionNumber,
    pictures: z.int(),
    failed: z.int(),
  })
  .meta({ id: 'BatchSummary', description: 'The last line. If it is missing, the answer is incomplete.' });
export type BatchSummary = z.infer<typeof BatchSummary>;

export const BatchLine = z.union([BatchResult, BatchProblem, BatchSummary]).meta({ id: 'BatchLine' });
export type BatchLine = z.infer<typeof BatchLine>;
