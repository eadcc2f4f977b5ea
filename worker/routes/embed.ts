/** POST /v1/embed: pictures to CNN codes. */
import { createRoute } from '@hono/zod-openapi';
import { Embeddings, EmbedQuery } from '../../src/api/index.ts';
import type { App } from '../app.ts';
import { requireScope } from '../auth.ts';
import { see } from '../classify.ts';
import { MAX_PICTURES_PER_REQUEST } from '../limits.ts';
import { withPictures } from '../pictures.ts';
import type { Services } from '../services.ts';
import { answers, pictureBody } from './describe.ts';
import { backboneId } from './health.ts';

export function addEmbedRoute(app: App, { keys, memory, runtime }: Services): void {
  const embed = createRoute({
    method: 'post',
    path: '/v1/embed',
    summary: `CNN codes of one picture, or of up to ${MAX_PICTURES_PER_REQUEST} in a multipart form`,
    middleware: requireScope(keys, 'read'),
    request: { query: EmbedQuery, body: pictureBody },
    responses: answers(200, Embeddings, 'One code a picture.'),
  });
  app.openapi(embed, async (c) => {
    const { encoding } = c.req.valid('query');
    const { codes, images } = await withPictures(c.req.raw, memory, MAX_PICTURES_PER_REQUEST, (pictures) =>
      see(runtime, pictures),
    );
    const { codeLength } = runtime.engine;
    const embeddings = images.map((image, i) => {
      const code = codes.subarray(i * codeLength, (i + 1) * codeLength);
      return { code: encoding === 'float' ? Array.from(code) : halfPrecisionBase64(code), image };
    });
    return c.json({ backbone: backboneId(runtime.plan), code_length: codeLength, encoding, embeddings }, 200);
  });
}

/** Little-endian half precision, which is how codes are stored; every platform of the Worker is little-endian. */
function halfPrecisionBase64(code: Float32Array): string {
  const bytes = new Uint8Array(Float16Array.from(code).buffer);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
