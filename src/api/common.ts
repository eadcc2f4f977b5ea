/** Wire schemas that several calls share: names, identifiers, images and problems. Pure zod; hosts add their own. */
import { z } from 'zod';
import { STATISTICS } from '../backbone/plan.ts';
import { labelFault, MAX_LABEL_LENGTH, MAX_TAPS, normaliseLabel } from '../head/limits.ts';
import { Name, PictureInputFields } from '../head/metadata.ts';

export { MAX_LABEL_LENGTH };

/** A head's name: 1 to 63 lower-case letters, digits, dots, dashes and underscores, a letter or digit first. */
export const HeadName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'must be 1 to 63 of a-z 0-9 . _ - and begin with a letter or digit')
  .meta({ id: 'HeadName', example: 'recycling' });

const labelOf = (text: z.ZodString) =>
  text
    .min(1)
    .max(MAX_LABEL_LENGTH)
    .superRefine((label, context) => {
      const fault = labelFault([label]);
      if (fault !== undefined) context.addIssue({ code: 'custom', message: fault.replace(/^label 0 /, '') });
    });

/** A label that a head may have. */
export const Label = labelOf(z.string());

/** Room for what normalising takes away. The length is bounded before it, since ordering combining marks takes quadratic time. */
const MAX_RAW_LABEL_LENGTH = 4 * MAX_LABEL_LENGTH;

/**
 * The label of an example, normalised. Each class has an address, in which '.' and '..' have another meaning.
 */
export const TaughtLabel = labelOf(
  z
    .string()
    .refine((label) => label.length <= MAX_RAW_LABEL_LENGTH, {
      error: `must have at most ${MAX_LABEL_LENGTH} characters`,
      abort: true,
    })
    .overwrite(normaliseLabel),
).refine(
  (label) => label !== '.' && label !== '..',
  'cannot be a label, since it has a meaning of its own in addresses',
);

/** A version's number. Numbers count up from 1 for each head name and are never used twice. */
export const VersionNumber = z.int().min(1).max(Number.MAX_SAFE_INTEGER);

/** The same number as it stands in a path or a query. */
export const VersionText = z
  .string()
  .regex(/^[1-9][0-9]{0,14}$/, 'must be a whole number from 1 on')
  .transform(Number)
  .pipe(VersionNumber);

export const Timestamp = z.string().meta({ format: 'date-time', example: '2026-11-23T20:42:08.000Z' });

/** The `limit` of a paged list, in a query; 100 by default. @param most at most 999. */
export const pageLimit = (most: number) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,2}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.int().max(most))
    .default(100);

/** Names the frozen network. It can't use codes or heads made with other weights. */
export const BackboneId = z
  .object({ name: z.string(), version: z.string(), weights_sha256: z.string() })
  .meta({ id: 'BackboneId' });
export type BackboneId = z.infer<typeof BackboneId>;

/** What tells code spaces of one backbone apart: the taps, their statistics and the input. */
export const CodeSpaceFields = {
  taps: z.array(Name).min(1).max(MAX_TAPS).describe('Names, in the order of the code.'),
  statistics: z
    .array(z.enum(STATISTICS))
    .min(1)
    .max(MAX_TAPS)
    .optional()
    .describe('The statistic of each tap over space: mean or standard deviation. Default: means.'),
  input: PictureInputFields.optional().describe(
    "The size that images are resized to, and the rules for it. Default: the backbone's own size by rules 1.",
  ),
};

/** A code space without the weights, which BackboneId names. */
export const CodeSpace = z.strictObject(CodeSpaceFields).meta({ id: 'CodeSpace' });

/** What the decoder found: the image's own size, after its orientation was applied. */
export const ImageInfo = z
  .object({
    width: z.int(),
    height: z.int(),
    format: z.enum(['jpeg', 'png', 'webp']),
  })
  .meta({ id: 'ImageInfo' });
export type ImageInfo = z.infer<typeof ImageInfo>;

/** An image that is an example already, under another label. */
export const Conflict = z
  .object({
    picture: z.string(),
    label: z.string().describe('The label in this request.'),
    known_label: z.string().describe('The label of the known example, or of an earlier one in this request.'),
    example: z.string().optional().describe('The id of the known example.'),
  })
  .meta({ id: 'Conflict' });
export type Conflict = z.infer<typeof Conflict>;

/** RFC 9457 problem details. `code` is stable; `detail` is for people and may change. */
export const Problem = z
  .object({
    type: z.string(),
    code: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string().describe('The request id, also in the header x-request-id.'),
    field: z.string().optional().describe('The parameter or field that was refused.'),
    conflicts: z
      .array(Conflict)
      .optional()
      .describe('With label_conflict: the images that are known under another label.'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
