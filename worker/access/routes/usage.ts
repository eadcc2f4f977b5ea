/** GET /v1/usage: what the tenant did, by day and kind. */
import { z } from '@hono/zod-openapi';
import { DEFAULT_USAGE_DAYS, MAX_USAGE_DAYS, Usage } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import { requireScope } from '../auth.ts';
import type { Services } from '../../isolate/services.ts';
import { callOwnTenant } from '../../tenant/call.ts';
import { answers, operations } from '../../http/openapi.ts';

const DAY_MS = 24 * 60 * 60_000;

const UsageQuery = z.strictObject({
  days: z
    .string()
    .regex(/^[1-9][0-9]?$/, `must be a whole number from 1 to ${MAX_USAGE_DAYS}`)
    .transform(Number)
    .pipe(z.int().max(MAX_USAGE_DAYS))
    .default(DEFAULT_USAGE_DAYS),
});

export function addUsageRoute(app: App, { keys }: Services): void {
  const { get } = operations(app);
  get('/v1/usage', {
    summary: 'Requests by day and kind',
    middleware: requireScope(keys, 'read', 'manage'),
    request: { query: UsageQuery },
    responses: answers(
      200,
      Usage,
      'The last days, oldest first. The newest requests may take some seconds to appear.',
    ),
  })(async (c) => {
    const { days } = c.req.valid('query');
    const since = new Date(Date.now() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
    const found = await callOwnTenant(c, (stub) => stub.usage.days(since));
    return c.json({ days: found }, 200);
  });
}
