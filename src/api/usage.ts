/** Wire schemas of usage: a tenant's requests by day and kind. */
import { z } from 'zod';

/** Days of usage that can be queried. */
export const MAX_USAGE_DAYS = 90;
export const DEFAULT_USAGE_DAYS = 30;

export const UsageDay = z
  .object({
    day: z.string().meta({ format: 'date', example: '2026-11-23', description: 'In UTC.' }),
    counts: z.record(z.string(), z.int()).describe('Requests by kind, for example classify, embed, teach.'),
  })
  .meta({ id: 'UsageDay' });
export type UsageDay = z.infer<typeof UsageDay>;

export const Usage = z
  .object({
    days: z.array(UsageDay).describe('Oldest first; days without any use may be missing.'),
  })
  .meta({ id: 'Usage' });
export type Usage = z.infer<typeof Usage>;
