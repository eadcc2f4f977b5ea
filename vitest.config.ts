import { join } from 'node:path';
import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

/** Tests start some 200 processes: each would compile the same modules anew, for about half a second. */
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '.cache/compiled');

/**
 * A test that takes longer hangs. No test is judged by its time: beside other work on two cores servers, browsers and
 * trainings take many times as long as alone.
 */
const HANGS_MS = 300_000;

/** Of both projects together, whose files run side by side. Two cores: more would only fight over them. */
const MAX_WORKERS = 2;

export default defineConfig({
  test: {
    // The Worker logs a line a request.
    silent: 'passed-only',
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          globalSetup: ['test/node/run-folder.ts'],
          maxWorkers: MAX_WORKERS,
          testTimeout: HANGS_MS,
          hookTimeout: HANGS_MS,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: './wrangler.toml' },
            // The platform's own, as REQUESTS is, with a limit that a test can reach.
            miniflare: {
              ratelimits: { FEW_REQUESTS: { namespace_id: '1003', simple: { limit: 3, period: 60 } } },
            },
          }),
        ],
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/worker/setup.ts'],
          // Two workerds that take file after file: each would otherwise load the Worker anew, which takes longer than its
          // tests. Files share stores and isolate: each has tenants of its own, and test/worker/setup.ts takes its mocks back.
          isolate: false,
          maxWorkers: MAX_WORKERS,
          testTimeout: HANGS_MS,
          hookTimeout: HANGS_MS,
        },
      },
    ],
  },
});
