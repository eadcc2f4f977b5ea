/** POST /v1/embed: pictures to CNN codes. */
import { createRoute, type z } from '@hono/zod-openapi';
import { type Embedding, Embeddings, EmbedQuery } from '../../src/api/index.ts';
import type { App } from '../app.ts';
import { requireScope } from '../auth.ts';
import { MAX_PICTURES_PER_REQUEST } from '../limits.ts';
import { withPictures } from '../pictures.ts';
import { workOf } from '../request-work.ts';
import type { Services } from '../services.ts';
import { builtInSpace, codeIn, codeSpaceOf } from '../teach/code-space.ts';
import { answers, pictureBody } from './describe.ts';

export function addEmbedRoute(app: App, services: Services): void {
  const { keys, memory } = services;
  const embed = createRoute({
    method: 'post',
    path: '/v1/embed',
    summary: `CNN codes of one picture, or of up to ${MAX_PICTURES_PER_REQUEST} in a multipart form`,
    middleware: requireScope(keys, 'read'),
    request: { query: EmbedQuery, body: pictureBody },
    responses: answers(200, Embeddings, 'One code a picture.'),
  });
  app.openapi(embed, async (c) => {
    const { encoding, head } = c.req.valid('query');
    const { tenant } = c.var.principal;
    const space = await (head === undefined
      ? builtInSpace(services.runtime)
      : codeSpaceOf(services, c.env, tenant, head));
    const { name, version, weightsSha256, codeLength, base } = space.origin;
    const embeddings = await withPictures(
      c.req.raw,
      memory.of(c.var.principal.tenant),
      MAX_PICTURES_PER_REQUEST,
      async (pictures) => {
        const made: z.output<typeof Embedding>[] = [];
        for (const picture of pictures) {
          const { code, image } = await codeIn(services, space, picture, workOf(c));
          made.push({ code: encoding === 'float' ? Array.from(code) : halfPrecisionBase64(code), image });
        }
        return made;
      },
    );
    const backbone = { name, version, weights_sha256: weightsSha256 };
    const uploaded = base === undefined ? {} : { base: base.sha256 };
    return c.json({ backbone, ...uploaded, code_length: codeLength, encoding, embeddings }, 200);
  });
}

/** Little-endian half precision, which is how codes are stored; every platform of the Worker is little-endian. */
function halfPrecisionBase64(code: Float32Array): string {
  return new Uint8Array(Float16Array.from(code).buffer).toBase64();
}
