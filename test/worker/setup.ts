import { afterAll, vi } from 'vitest';

/** Before anything else, as in worker/index.ts: schemas can describe themselves only if this was there when they were made. */
export { extendZodWithOpenApi } from '@hono/zod-openapi';

// All files share one isolate (vitest.config.ts): a file leaves the next one the real clock and the real functions.
afterAll(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});
