/** Wire schemas of the settings of a head and of a tenant. */
import { z } from 'zod';

export const HeadSettings = z
  .strictObject({
    guard_margin: z
      .number()
      .min(0)
      .max(1)
      .nullable()
      .default(null)
      .describe(
        'The most that held-out accuracy on the old classes may fall before a new version is held back: 0.05 is five points. null switches the guard off.',
      ),
    capture: z
      .boolean()
      .default(false)
      .describe('Whether codes of uncertain and unknown images are kept for review.'),
  })
  .meta({ id: 'HeadSettings' });
export type HeadSettings = z.infer<typeof HeadSettings>;

export const DEFAULT_SETTINGS: HeadSettings = HeadSettings.parse({});

export const TenantSettings = z
  .strictObject({
    keep_images: z
      .boolean()
      .default(false)
      .describe('Whether the images of examples are kept. Switching it off deletes them.'),
  })
  .meta({ id: 'TenantSettings' });
export type TenantSettings = z.infer<typeof TenantSettings>;

export const DEFAULT_TENANT_SETTINGS: TenantSettings = TenantSettings.parse({});
