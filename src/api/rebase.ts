/** Wire schemas of moving a head to the default code space: progress, obstacles and the metrics before and after. */
import { z } from 'zod';
import { BackboneId, CodeSpaceFields, HeadName, VersionNumber } from './common.ts';
import { Metrics } from './heads.ts';

/** Names a code space. */
export const CodeSpaceId = BackboneId.extend({
  code_length: z.int().describe('Numbers in a code.'),
  input: CodeSpaceFields.input,
}).meta({ id: 'CodeSpaceId' });

/** A version with its metrics. */
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
    example: z.string().describe('Its id.'),
    label: z.string(),
    fault: z.string().describe('Why the kept image gives no code.'),
  })
  .meta({ id: 'UnreadablePicture' });

export const Rebase = z
  .object({
    head: HeadName,
    state: z
      .enum(['not_begun', 'under_way', 'done'])
      .describe('done: the codes of the examples are in the default code space.'),
    from: CodeSpaceId.optional().describe('The code space of the examples before the move.'),
    to: CodeSpaceId.describe('The default code space: that of new heads.'),
    total: z.int().describe('Examples of the head.'),
    done: z.int().describe('Examples that have a code in the new space.'),
    missing_pictures: z
      .int()
      .describe('Examples without a code in the new space and without an image to compute it from.'),
    unreadable: z
      .array(UnreadablePicture)
      .optional()
      .describe('Those of them whose kept image is missing or damaged; 50 at most.'),
    obstacle: z.string().optional().describe('Why the move cannot begin or go on, and what to do.'),
    before: JudgedVersion.optional().describe('The newest version trained in the old space.'),
    after: JudgedVersion.optional().describe('The newest version trained in the new space.'),
  })
  .meta({ id: 'Rebase' });
export type Rebase = z.infer<typeof Rebase>;
