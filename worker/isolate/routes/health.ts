/** GET /healthz: that the Worker runs, and what. */
import { z } from '@hono/zod-openapi';
import { version } from '../../../package.json';
import { BackboneId } from '../../../src/api/index.ts';
import type { App } from '../../env.ts';
import type { Plan } from '../../../src/backbone/index.ts';
import type { Services } from '../services.ts';
import { answers, operations } from '../../http/openapi.ts';

const Health = z
  .object({ status: z.literal('ok'), version: z.string(), backbone: BackboneId, engine: z.string() })
  .meta({ id: 'Health' });

export function addHealthRoute(app: App, { runtime }: Services): void {
  const { get } = operations(app);
  get('/healthz', {
    summary: 'Health and version',
    security: [],
    responses: answers(200, Health, 'The Worker runs.'),
  })((c) => {
    const backbone = backboneId(runtime.plan);
    return c.json({ status: 'ok' as const, version, backbone, engine: runtime.engine.name }, 200);
  });
}

export function backboneId({ name, version, weightsSha256 }: Plan): BackboneId {
  return { name, version, weights_sha256: weightsSha256 };
}
