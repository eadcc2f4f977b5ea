/** Wire schemas of moving a head to the default code space: how far it is, what stands in the way, and what it brings. */
import { z } from 'zod';
import { BackboneId, CodeSpaceFields, HeadName, VersionNumber } from './common.ts';
import { Metrics } from './heads.ts';

/** Which codes. */
export const CodeSpaceId = BackboneId.extend({
  code_length: z.int().meta({ description: 'Numbers in a code.' }),
  input: CodeSpaceFields.input,
}).meta({ id: 'CodeSpaceId' });
export type CodeSpaceId = z.infer<typeof CodeSpaceId>;

/** A version with how well it does. */
export const JudgedVersion = z
  .object({
    version: VersionNumber,
    current: z.boolean(),
    held_out_by: z.string(),
    // Not `.nullable()`: the document names Metrics by reference, and the null would be lost beside it.
    leave_one_out: z.union([Metrics, z.null()]),
  })
  .meta({ id: 'JudgedVersion' });
export type JudgedVersion = z.infer<typeof JudgedVersion>;

export const UnreadablePicture = z
  .object({
    example: z.string().meta({ description: 'Its id.' }),
    label: z.string(),
    fault: z.string().meta({ description: 'Why the kept picture gives no code.' }),
  })
  .meta({ id: 'UnreadablePicture' });

export const Rebase = z
  .object({
    head: HeadName,
    state: z.enum(['not_begun', 'under_way', 'done']).meta({
      description: 'done: the examples are codes of the default code space.',
    }),
    from: CodeSpaceId.optional().meta({ description: 'What the examples are codes of until it is done.' }),
    to: CodeSpaceId.meta({ description: 'The default code space, which new heads have.' }),
    total: z.int().meta({ description: 'Examples of the head.' }),
    done: z.int().meta({ description: 'Examples that have a code there.' }),
    missing_pictures: z.int().meta({
      description: 'Examples without a code there and without a picture to make it of.',
    }),
    unreadable: z
      .array(UnreadablePicture)
      .optional()
      .meta({ description: 'Those among them whose kept picture is missing or damaged; 50 at most.' }),
    obstacle: z
      .string()
      .optional()
      .meta({ description: 'Why it cannot begin or go on, and what to do about it.' }),
    before: JudgedVersion.optional().meta({ description: 'The newest version trained in the old space.' }),
    after: JudgedVersion.optional().meta({ description: 'The newest one in the new space.' }),
  })
  .meta({ id: 'Rebase' });
export type Rebase = z.infer<typeof Rebase>;
