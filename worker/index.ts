/** The Worker's entry: the application on this isolate's runtime, and the Durable Object's class. */
import { createApp } from './app.ts';
import type { Env } from './env.ts';
import { runtime } from './runtime.ts';

export { Tenant } from './tenant/tenant.ts';

const app = createApp(runtime);

export default {
  fetch: (request, env, context) => app.fetch(request, env, context),
} satisfies ExportedHandler<Env>;
