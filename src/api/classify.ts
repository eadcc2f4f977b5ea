/** Wire schemas of classify and embed: the calls that take pictures. */
import { z } from 'zod';
import { MAX_NAME_LENGTH } from '../head/limits.ts';
import { BackboneId, CodeSpace, HeadName, ImageInfo, VersionNumber } from './common.ts';
import { ExplainQuery, Explanation } from './explain.ts';
import { VersionWish } from './versions.ts';

export const DEFAULT_TOP_K = 10;
export const MAX_TOP_K = 10_000;
/** Heads that one picture can be scored with in one request. */
export const MAX_HEADS_PER_REQUEST = 16;

const TopK = z
  .string()
  .regex(/^[1-9][0-9]{0,4}$/, `must be a whole number from 1 to ${MAX_TOP_K}`)
  .transform(Number)
  .pipe(z.int().max(MAX_TOP_K))
  .default(DEFAULT_TOP_K);

export const ClassifyQuery = z.strictObject({
  top_k: TopK.meta({ description: 'How many labels to answer, the most probable first.' }),
  version: VersionWish.optional().meta({
    description: 'Which version, by number or by name; the current one where absent.',
  }),
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
      description: 'Names joined by commas, each with an optional @version.',
      example: 'recycling,flowers@3',
    }),
  top_k: TopK,
});

export const EmbedQuery = z.strictObject({
  head: HeadName.optional().meta({
    description:
      'Codes that this head is taught with: its own where it was uploaded, else those of its first example. Where absent, and for a head that is not there yet, those that new heads read.',
  }),
  backbone: z.string().min(1).max(MAX_NAME_LENGTH).optional().meta({
    description: 'Codes of this backbone, by name; not together with `head`.',
  }),
  size: z
    .string()
    .regex(/^[1-9][0-9]{0,3}$/, 'must be a whole number of pixels')
    .transform(Number)
    .optional()
    .meta({
      type: 'integer',
      description:
        'Side of the square that pictures are brought to, in pixels: one at which the backbone is run. Where absent, that of new heads on the backbone.',
    }),
  rules: z
    .enum(['1', '2'])
    .transform((rules) => (rules === '1' ? 1 : 2))
    .optional()
    .meta({
      type: 'integer',
      description:
        'Pixel rules by which pictures are brought to that size: 1 of heads from before there were others, 2 of new ones. Where absent, those of new heads on the backbone.',
    }),
  encoding: z
    .enum(['float', 'base64'])
    .default('float')
    .meta({ description: 'float: JSON numbers. base64: little-endian half precision, a fifth of the size.' }),
});

export const Prediction = z.object({ label: z.string(), score: z.number() }).meta({ id: 'Prediction' });
export type Prediction = z.infer<typeof Prediction>;

export const Unknown = z
  .object({
    score: z.number().meta({ description: 'How unlike the training pictures, in units of their spread.' }),
    is_unknown: z.boolean(),
  })
  .meta({ id: 'Unknown' });
export type Unknown = z.infer<typeof Unknown>;

export const HeadAnswer = z
  .object({
    id: z.string().optional().meta({
      description: 'Where the prediction is kept for review: its id, for feedback.',
    }),
    head: z.string(),
    version: VersionNumber,
    predictions: z.array(Prediction),
    unknown: Unknown,
  })
  .meta({ id: 'HeadAnswer' });
export type HeadAnswer = z.infer<typeof HeadAnswer>;

export const Classification = HeadAnswer.extend({
  image: ImageInfo,
  explanation: Explanation.optional().meta({ description: 'Where asked for with `explain`.' }),
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
    space: CodeSpace.meta({ description: 'Which codes of it these are; to be sent with them to teach.' }),
    base: z.string().optional().meta({
      description:
        'Where these are codes of an uploaded head, asked for with `head`: the SHA-256 of its file.',
    }),
    code_length: z.int(),
    encoding: z.enum(['float', 'base64']),
    embeddings: z.array(Embedding).meta({ description: 'In the order of the pictures.' }),
  })
  .meta({ id: 'Embeddings' });
export type Embeddings = z.infer<typeof Embeddings>;
