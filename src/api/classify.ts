/** Wire schemas of classify and embed, the calls that take images. */
import { z } from 'zod';
import { MAX_NAME_LENGTH } from '../head/limits.ts';
import { BackboneId, CodeSpace, HeadName, ImageInfo, VersionNumber } from './common.ts';
import { ExplainQuery, Explanation } from './explain.ts';
import { VersionWish } from './versions.ts';

export const DEFAULT_TOP_K = 10;
export const MAX_TOP_K = 10_000;
/** Heads that one request can score an image with. */
export const MAX_HEADS_PER_REQUEST = 16;

const TopK = z
  .string()
  .regex(/^[1-9][0-9]{0,4}$/, `must be a whole number from 1 to ${MAX_TOP_K}`)
  .transform(Number)
  .pipe(z.int().max(MAX_TOP_K))
  .default(DEFAULT_TOP_K);

export const ClassifyQuery = z.strictObject({
  top_k: TopK.describe('The most labels in the answer. The most probable come first.'),
  version: VersionWish.optional().describe('A version, by number or by name. Default: the current one.'),
  ...ExplainQuery,
});

/** `name` or `name@version`. */
export const HeadReference = z.string().transform((text, context) => {
  const [name, version, ...rest] = text.split('@');
  const head = HeadName.safeParse(name);
  const number = version === undefined ? undefined : VersionWish.safeParse(version);
  if (!head.success || number?.success === false || rest.length > 0) {
    context.addIssue({
      code: 'custom',
      message: `'${text.slice(0, 80)}' is neither 'name' nor 'name@version'`,
    });
    return z.NEVER;
  }
  return number === undefined ? { head: head.data } : { head: head.data, version: number.data };
});

export const ClassifyManyQuery = z.strictObject({
  heads: z
    .string()
    .min(1, 'must name at least one head')
    .transform((text) => text.split(','))
    .pipe(z.array(HeadReference).min(1).max(MAX_HEADS_PER_REQUEST))
    .meta({
      type: 'string',
      description: 'Names separated by commas, each with an optional @version.',
      example: 'recycling,flowers@3',
    }),
  top_k: TopK,
});

export const EmbedQuery = z.strictObject({
  head: HeadName.optional().describe(
    'Computes the CNN codes that this head is trained on. Default, and where the head does not exist yet: the codes of new heads.',
  ),
  backbone: z
    .string()
    .min(1)
    .max(MAX_NAME_LENGTH)
    .optional()
    .describe('Computes codes of this backbone, by name. Not together with `head`.'),
  size: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, 'must be a whole number of pixels')
    .transform(Number)
    .optional()
    .meta({
      type: 'integer',
      description:
        'Side in pixels of the square that images are resized to. The backbone must support it. Default: the size of new heads on the backbone.',
    }),
  rules: z
    .enum(['1', '2'])
    .transform((rules) => (rules === '1' ? 1 : 2))
    .optional()
    .meta({
      type: 'integer',
      description:
        'The rules for resizing: 1 for old heads, 2 for new ones. Default: the rules of new heads on the backbone.',
    }),
  encoding: z
    .enum(['float', 'base64'])
    .default('float')
    .describe('float: JSON numbers. base64: little-endian half precision, a fifth of the size.'),
});

export const Prediction = z.object({ label: z.string(), score: z.number() }).meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof Prediction>;

export const Unknown = z
  .object({
    score: z.number().describe('Distance from the training images, in units of their spread.'),
    is_unknown: z.boolean(),
  })
  .meta({ id: 'Unknown' });
export type Unknown = z.infer<typeof Unknown>;

export const HeadAnswer = z
  .object({
    id: z
      .string()
      .optional()
      .describe('The id of the prediction, for feedback. Only where it is kept for review.'),
    head: z.string(),
    version: VersionNumber,
    predictions: z.array(Prediction),
    unknown: Unknown,
  })
  .meta({ id: 'HeadAnswer' });
export type HeadAnswer = z.infer<typeof HeadAnswer>;

export const Classification = HeadAnswer.extend({
  image: ImageInfo,
  explanation: Explanation.optional().describe('Only with `explain`.'),
}).meta({ id: 'Classification' });
export type Classification = z.infer<typeof Classification>;

export const Classifications = z
  .object({ results: z.array(HeadAnswer), image: ImageInfo })
  .meta({ id: 'Classifications' });

export const Embedding = z
  .object({ code: z.union([z.array(z.number()), z.string()]), image: ImageInfo })
  .meta({ id: 'Embedding' });

export const Embeddings = z
  .object({
    backbone: BackboneId,
    space: CodeSpace.describe('The code space. Send it to teach together with the codes.'),
    base: z
      .string()
      .optional()
      .describe(
        'The SHA-256 of the uploaded head named by `head`. Only where the codes are those of such a head.',
      ),
    code_length: z.int(),
    encoding: z.enum(['float', 'base64']),
    embeddings: z.array(Embedding).describe('In the order of the images.'),
  })
  .meta({ id: 'Embeddings' });
export type Embeddings = z.infer<typeof Embeddings>;
