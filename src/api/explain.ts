/** Wire schemas of heat-maps: where in an image a label's score comes from. */
import { z } from 'zod';

/** Explains the most probable label, unless a class has this name. */
export const EXPLAIN_TOP = 'label';

export const ExplainQuery = {
  explain: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({
      description: `Adds where in the image the score of a label comes from. A label's name, or '${EXPLAIN_TOP}' for the most probable one.`,
      example: EXPLAIN_TOP,
    }),
  explain_format: z
    .enum(['json', 'png'])
    .optional()
    .describe(
      'png answers with the image and its heat-map instead of JSON, as `Accept: image/png` does. Default: json.',
    ),
};

export const Explanation = z
  .object({
    label: z.string(),
    logit: z
      .number()
      .describe("The label's score before temperature and softmax: the sum of bias and all shares."),
    bias: z.number().describe('The part of the logit that no position adds.'),
    grid: z
      .object({
        height: z.int(),
        width: z.int(),
        shares: z
          .array(z.array(z.number()))
          .describe('Rows from the top: what each position adds to the logit. May be negative.'),
      })
      .describe('Covers the whole image, in cells of equal size.'),
    exact: z.boolean().describe('Whether every share is exact. If not, some taps are spread evenly.'),
    spread_taps: z
      .array(z.string())
      .describe(
        'Taps whose part of the logit is spread evenly: a fine-tuned tail computes them, and its maps are not available.',
      ),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;
