import { cloudflareTest } from '@cloudflare/vitest-pool-workers';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The Worker logs a line a request.
    silent: 'passed-only',
    projects: [
      {
        test: {
          name: 'node',
          include: ['test/node/**/*.test.ts'],
          // Two cores: more workers would only fight over them.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
          testTimeout: 120_000,
          // Servers, browsers and trainings are slow beside other work on two cores.
          hookTimeout: 120_000,
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
          // One workerd after the other, for the same reason.
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          // Servers, browsers and trainings are slow beside other work on two cores.
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
