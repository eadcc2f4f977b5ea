/** Wire schemas of what a head's owner may choose for it. */
import { z } from 'zod';

export const HeadSettings = z
  .strictObject({
    guard_margin: z.number().min(0).max(1).nullable().default(null).meta({
      description:
        'How far leave-one-out accuracy on the old classes may fall before a new version is held back: 0.05 is five points. null switches the guard off.',
    }),
    capture: z.boolean().default(false).meta({
      description: 'Whether codes of uncertain and unknown pictures are kept for review.',
    }),
  })
  .meta({ id: 'HeadSettings' });
export type HeadSettings = z.infer<typeof HeadSettings>;

export const DEFAULT_SETTINGS: HeadSettings = HeadSettings.parse({});
