/** How requests find their routes. */
import { expect, test } from 'vitest';
import { createApp } from '../../worker/app.ts';
import { runtime } from '../../worker/isolate/runtime.ts';

test("all routes fit Hono's fast router, which finds a route with one regular expression", () => {
  const { router } = createApp(runtime);
  router.match('GET', '/healthz');
  expect(router.name).toBe('SmartRouter + RegExpRouter');
});
