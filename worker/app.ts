/** The HTTP application: what every request goes through, and the routes, each a file in the routes/ of its room. */
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { cors } from 'hono/cors';
import { version } from '../package.json';
import { pathOf, requestFault } from './http/address.ts';
import { invalidInput } from './http/body.ts';
import type { App, AppEnv } from './env.ts';
import { knownQueries } from './http/known-queries.ts';
import { metered } from './access/metering.ts';
import { noteProblem, observe, requestIdOf } from './http/observe.ts';
import { pageOf } from './http/pages.ts';
import { problemResponse } from './http/problem.ts';
import { addBackupRoutes } from './backup/routes/backup.ts';
import { addBatchRoute } from './predict/routes/batch.ts';
import { addClassifyRoutes } from './predict/routes/classify.ts';
import { explain } from './predict/routes/explain.ts';
import { BODY_SCHEMAS, PROBLEM_ANSWER } from './http/openapi.ts';
import { addEmbedRoute } from './predict/routes/embed.ts';
import { addHeadRoutes } from './heads/routes/heads.ts';
import { addExampleRoutes } from './teach/routes/examples.ts';
import { addHealthRoute } from './isolate/routes/health.ts';
import { addKeyRoutes } from './access/routes/keys.ts';
import { addRebaseRoutes } from './teach/routes/rebase.ts';
import { addReportRoutes } from './teach/routes/report.ts';
import { addReviewRoutes } from './teach/routes/review.ts';
import { addRoutingRoutes } from './heads/routes/routing.ts';
import { addSettingsRoutes } from './heads/routes/settings.ts';
import { addTeachRoutes } from './teach/routes/teach.ts';
import { addTenantRoutes } from './access/routes/tenants.ts';
import { addUsageRoute } from './access/routes/usage.ts';
import { addVersionRoutes } from './heads/routes/versions.ts';
import { addProtocols } from './protocols/index.ts';
import { routeNotFound } from './http/route-not-found.ts';
import type { Runtime } from './isolate/backbones.ts';
import { createServices } from './isolate/services.ts';

/** Browsers may call from anywhere: a key is sent by the page's own code, never by the browser on its own. */
const CORS = {
  origin: '*',
  allowMethods: ['GET', 'PUT', 'POST', 'PATCH', 'DELETE'],
  allowHeaders: [
    'authorization',
    'content-type',
    'idempotency-key',
    'training-key',
    'prediction-key',
    'routing-key',
  ],
  exposeHeaders: ['x-request-id', 'retry-after', 'location', 'etag'],
  maxAge: 86_400,
};

/** An application with caches of its own: one isolate has one. */
export function createApp(runtime: Runtime): App {
  const app: App = new OpenAPIHono<AppEnv>({
    getPath: pathOf,
    defaultHook: (result) => {
      if (!result.success) throw invalidInput(result.error, WHERE[result.target] ?? result.target);
    },
  });
  app.use(observe);
  const crossOrigin = cors(CORS);
  // Only browsers call across origins, and each header costs every answer.
  app.use((c, next) => (c.req.header('origin') === undefined ? next() : crossOrigin(c, next)));
  app.onError(answerProblem);
  const services = createServices(runtime);
  app.use(metered(services.metering));
  app.use('/v1/*', knownQueries(app));
  addHealthRoute(app, services);
  addTenantRoutes(app, services);
  addKeyRoutes(app, services);
  addUsageRoute(app, services);
  addSettingsRoutes(app, services);
  addBackupRoutes(app, services);
  addHeadRoutes(app, services);
  addVersionRoutes(app, services);
  addReviewRoutes(app, services);
  addRoutingRoutes(app, services);
  addTeachRoutes(app, services);
  addExampleRoutes(app, services);
  addRebaseRoutes(app, services);
  addReportRoutes(app, services);
  addClassifyRoutes(app, services, explain);
  addBatchRoute(app, services);
  addEmbedRoute(app, services);
  addProtocols(app, services);
  addDocument(app);
  const notFound = routeNotFound(app);
  app.notFound(async (c) => {
    const page = await pageOf(c.req.raw, c.env);
    if (page !== undefined) return page;
    // Not thrown: it would pass by the protocols, who word errors in their own way.
    c.error = requestFault(c.req.raw) ?? notFound(c.req.method, c.req.path);
    return answerProblem(c.error, c);
  });
  return app;
}

function answerProblem(error: Error, c: Context<AppEnv>): Response {
  const { response, code } = problemResponse(error, requestIdOf(c));
  noteProblem(c.req.raw, code);
  return response;
}

const WHERE: Readonly<Record<string, string>> = {
  query: 'the query',
  param: 'the path',
  header: 'the headers',
};

const DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'Headwater',
    version,
    description: 'Image classification at the edge: small heads on one frozen backbone.',
  },
  security: [{ key: [] }],
};

function addDocument(app: App): void {
  for (const [name, schema] of Object.entries(BODY_SCHEMAS)) app.openAPIRegistry.register(name, schema);
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type === 'route') definition.route.responses['default'] = PROBLEM_ANSWER;
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key, hw_…; for POST /v1/tenants the admin secret.',
  });
  // Made at the first request for it: it takes 20 ms, and anybody may send one.
  let text: string | undefined;
  app.get('/openapi.json', (c) => {
    text ??= JSON.stringify(app.getOpenAPI31Document(DOCUMENT));
    return c.body(text, 200, { 'content-type': 'application/json' });
  });
}
