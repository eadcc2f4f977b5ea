/** POST /v1/embed: pictures to CNN codes. */
import { type z } from '@hono/zod-openapi';
import { type Embedding, Embeddings, EmbedQuery } from '../../../src/api/index.ts';
import { allowsSize, sizesInWords } from '../../../src/backbone/index.ts';
import type { PixelRules } from '../../../src/head/index.ts';
import { defaultInput } from '../../../src/head/picture-input.ts';
import type { App, Env } from '../../env.ts';
import { requireScope } from '../../access/auth.ts';
import { MAX_PICTURES_PER_REQUEST } from '../../limits.ts';
import { ApiError } from '../../http/problem.ts';
import { workOf } from '../../isolate/request-work.ts';
import type { Runtime } from '../../isolate/backbones.ts';
import type { Services } from '../../isolate/services.ts';
import { codesIn, spaceAt, taughtSpacesOf, type CodeSpace } from '../../teach/code-space.ts';
import { answers, pictureBody, operations } from '../../http/openapi.ts';

export function addEmbedRoute(app: App, services: Services): void {
  const { post } = operations(app);
  post('/v1/embed', {
    summary: `CNN codes of an image, or of up to ${MAX_PICTURES_PER_REQUEST} in a multipart form`,
    middleware: requireScope(services.keys, 'read', 'embed'),
    request: { query: EmbedQuery, body: pictureBody },
    responses: answers(200, Embeddings, 'One code per image.'),
  })(async (c) => {
    const { encoding, ...wish } = c.req.valid('query');
    const { tenant } = c.var.principal;
    const space = await spaceWished(services, c.env, tenant, wish);
    const work = workOf(c);
    const embeddings = await services.withPictures(
      c.req.raw,
      work.memory,
      MAX_PICTURES_PER_REQUEST,
      async (pictures) => {
        const made: z.output<typeof Embedding>[] = [];
        for (const picture of pictures) {
          const { code, image } = await codesIn(services, { space }, picture, work);
          made.push({ code: encoding === 'float' ? Array.from(code) : halfPrecisionBase64(code), image });
        }
        return made;
      },
    );
    return c.json({ ...described(space), encoding, embeddings }, 200);
  });
}

interface Wish {
  readonly head?: string | undefined;
  readonly backbone?: string | undefined;
  readonly size?: number | undefined;
  readonly rules?: PixelRules | undefined;
}

/** @throws ApiError invalid_request */
async function spaceWished(
  services: Services,
  env: Env,
  tenant: string,
  { head, ...wish }: Wish,
): Promise<CodeSpace> {
  if (head === undefined) return spaceAt(await runtimeWished(services.runtime, wish));
  const more = (['backbone', 'size', 'rules'] as const).find((field) => wish[field] !== undefined);
  if (more === undefined) return (await taughtSpacesOf(services, env, tenant, head)).space;
  throw refused(
    more,
    "a head has codes of its own; ask either for those of a 'head', or for those of a 'backbone', 'size' and 'rules'",
  );
}

/** What is left open is as new heads on the backbone have it. @param usual what new heads read that name none. */
async function runtimeWished(
  usual: Runtime,
  { backbone = usual.plan.name, size, rules }: Omit<Wish, 'head'>,
): Promise<Runtime> {
  const isUsual = backbone === usual.plan.name;
  const named = isUsual ? usual : await usual.named(backbone);
  if (named === undefined)
    throw refused(
      'backbone',
      `there is no backbone '${backbone.slice(0, 80)}' here, but ${usual.names.join(', ')}`,
    );
  const { plan } = named;
  const input = isUsual ? usual.input : defaultInput(plan);
  const { height, width } = size === undefined ? input : { height: size, width: size };
  if (!allowsSize(plan, { height, width }))
    throw refused(
      'size',
      `the backbone ${plan.name} is run at ${sizesInWords(plan)} pixels, and not at ${height}×${width}`,
    );
  return usual.of({ backbone: plan, input: { height, width, rules: rules ?? input.rules } });
}

/** What codes are of, in the words of the API. */
function described({ origin, runtime }: CodeSpace): Omit<Embeddings, 'encoding' | 'embeddings'> {
  const { name, version, weightsSha256, taps, statistics, codeLength, base } = origin;
  return {
    backbone: { name, version, weights_sha256: weightsSha256 },
    space: {
      taps: [...taps],
      statistics: [...(statistics ?? taps.map(() => 'mean' as const))],
      input: runtime.input,
    },
    base: base?.sha256,
    code_length: codeLength,
  };
}

function refused(field: keyof Wish, what: string): ApiError {
  return new ApiError('invalid_request', `These codes cannot be made: ${what}.`, { field });
}

/** Little-endian half precision, which is how codes are stored; every platform of the Worker is little-endian. */
function halfPrecisionBase64(code: Float32Array): string {
  return new Uint8Array(Float16Array.from(code).buffer).toBase64();
}
