/** Wire schemas of heat-maps: where in a picture a label's score comes from. */
import { z } from 'zod';

/** Asks for the most probable label's explanation, where no class has that very name. */
export const EXPLAIN_TOP = 'label';

export const ExplainQuery = {
  explain: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .meta({
      description: `Adds where in the picture the score of a label comes from: the label's name, or '${EXPLAIN_TOP}' for the most probable one.`,
      example: EXPLAIN_TOP,
    }),
  explain_format: z.enum(['json', 'png']).optional().meta({
    description:
      'png answers with the picture under its heat-map instead of JSON, as `Accept: image/png` does. Default: json.',
  }),
};

export const Explanation = z
  .object({
    label: z.string(),
    logit: z
      .number()
      .meta({ description: "The label's raw score, before temperature and softmax: bias and all shares." }),
    bias: z.number().meta({ description: 'What belongs to no place in the picture.' }),
    grid: z
      .object({
        height: z.int(),
        width: z.int(),
        shares: z
          .array(z.array(z.number()))
          .meta({ description: 'Rows from the top: what each place adds to the logit, or takes away.' }),
      })
      .meta({ description: 'Lies evenly over the whole picture.' }),
    exact: z.boolean().meta({
      description: 'Whether every share is where it belongs; if not, some taps were spread evenly.',
    }),
    spread_taps: z.array(z.string()).meta({
      description:
        'Taps whose part of the logit is spread evenly, because a fine-tuned tail computes them and shows no maps.',
    }),
  })
  .meta({ id: 'Explanation' });
export type Explanation = z.infer<typeof Explanation>;
