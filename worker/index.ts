/** The Worker's entry: the application on this isolate's runtime, and the Durable Object's class. */
import { createApp } from './app.ts';
import type { Env } from './env.ts';
import { runtime } from './runtime.ts';

export { Tenant } from './tenant/tenant.ts';

const app = createApp(runtime);
// Routes are put together when the first of them is looked for.
app.router.match('POST', '/v1/classify');

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Env>;
