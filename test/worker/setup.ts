/** Before anything else, as in worker/index.ts: schemas can describe themselves only if this was there when they were made. */
export { extendZodWithOpenApi } from '@hono/zod-openapi';
