/** Wire schemas of routing: named versions, a canary's share, a shadow version. */
import { z } from 'zod';
import { VersionNumber, VersionText } from './common.ts';

/** Names of versions. They begin with a letter, so that no name is a number. */
export const VersionName = z
  .string()
  // Aborts, so that VersionWish has one error for both.
  .regex(/^[a-z][a-z0-9_-]{0,31}$/, {
    error: 'must be 1 to 32 of a-z 0-9 _ - and begin with a letter',
    abort: true,
  })
  .meta({ id: 'VersionName', example: 'production' });

/** A version's number or one of its names, in a query. */
export const VersionWish = z.union([VersionText, VersionName], {
  error: 'must be the number of a version or a name that one was given',
});

export const Activate = z
  .strictObject({
    percent: z
      .int()
      .min(1)
      .max(100)
      .default(100)
      .describe('The share of requests that the version answers as a canary. 100 makes it current.'),
  })
  .meta({ id: 'Activate' });

export const NameVersion = z.strictObject({ version: VersionNumber }).meta({ id: 'NameVersion' });

export const Canary = z
  .object({ version: VersionNumber, percent: z.int().min(1).max(99) })
  .meta({ id: 'Canary' });

export const ShadowReport = z
  .object({
    version: VersionNumber.describe('The shadow version, whose answers are only counted.'),
    requests: z.int(),
    disagreements: z.int().describe('How often its most probable label differed from the answer.'),
  })
  .meta({ id: 'ShadowReport' });
export type ShadowReport = z.infer<typeof ShadowReport>;

export const Routing = z
  .object({
    version: VersionNumber.nullable().describe('The current version.'),
    canary: Canary.optional(),
    shadow: ShadowReport.optional(),
    names: z.record(z.string(), VersionNumber),
  })
  .meta({ id: 'Routing' });
export type Routing = z.infer<typeof Routing>;
