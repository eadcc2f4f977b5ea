/** The Worker's entry: the application on this isolate's runtime, and the Durable Object's class. */
import { version } from '../package.json';
import { createApp } from './app.ts';
import { drained } from './http/drain.ts';
import type { Env } from './env.ts';
import { runtime } from './isolate/runtime.ts';
import { warmUpRoutes } from './isolate/warm-up.ts';
import { recordFolder } from './protocols/custom-vision/records.ts';
import { Tenant as TenantObject } from './tenant/tenant.ts';

/** With all that its parts keep, so that nothing of it stays. */
export class Tenant extends TenantObject {
  protected override get folders() {
    return [recordFolder];
  }
}

const app = createApp(runtime);
await warmUpRoutes(app);
// A line for each isolate that starts. It also spares the first request what the host loads for its first line.
console.log(JSON.stringify({ message: 'started', version, engine: runtime.engine.name }));

export default {
  fetch: (request, env, context) => drained(request, app.fetch(request, env, context)),
} satisfies ExportedHandler<Env>;
