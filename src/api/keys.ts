/** Wire schemas of tenants and their API keys. */
import { z } from 'zod';
import { Timestamp } from './common.ts';

/** read: classify, embed, read heads. write: also change heads. admin: also manage the tenant's keys. */
export const Scope = z.enum(['read', 'write', 'admin']).meta({ id: 'Scope' });
export type Scope = z.infer<typeof Scope>;

/** A name for people. */
export const DisplayName = z
  .string()
  .trim()
  .min(1)
  .max(100)
  // Control characters would spoil logs and terminals.
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')
  // JSON Schema's patterns are Unicode ones anyway; the generator would write the flag into the pattern.
  .meta({ pattern: '^\\P{Cc}*$' });

export const CreateTenant = z.strictObject({ name: DisplayName }).meta({ id: 'CreateTenant' });

export const TenantCreated = z
  .object({
    id: z.string(),
    name: z.string(),
    key: z.string().describe('A key with all scopes. Shown this once.'),
  })
  .meta({ id: 'TenantCreated' });

export const CreateKey = z
  .strictObject({
    name: DisplayName,
    scopes: z
      .array(Scope)
      .min(1)
      .max(Scope.options.length)
      .refine((scopes) => new Set(scopes).size === scopes.length, 'must not name a scope twice'),
  })
  .meta({ id: 'CreateKey' });

export const KeySummary = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(Scope),
    created_at: Timestamp,
    revoked_at: Timestamp.optional(),
  })
  .meta({ id: 'KeySummary' });
export type KeySummary = z.infer<typeof KeySummary>;

export const KeyCreated = KeySummary.extend({
  key: z.string().describe('Shown this once.'),
}).meta({ id: 'KeyCreated' });
export type KeyCreated = z.infer<typeof KeyCreated>;

export const KeyList = z.object({ keys: z.array(KeySummary) }).meta({ id: 'KeyList' });
