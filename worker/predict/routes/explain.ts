/** The part of classify that answers with a heat-map. */
import { EXPLAIN_TOP } from '../../../src/api/index.ts';
import { settle, type Asker } from '../predict.ts';
import type { LoadedHead } from '../features.ts';
import { classifyAndExplain, heatMapPng } from '../explain.ts';
import { withPictures } from '../../http/pictures.ts';
import type { Services } from '../../isolate/services.ts';

const PNG = 'image/png';

export interface Wish {
  readonly label: string;
  readonly format: 'json' | 'png';
}

/** What the caller wants explained and how, or undefined. A picture asked for by its media type is a wish, too. */
export function wishOf(
  query: { readonly explain?: string | undefined; readonly explain_format?: 'json' | 'png' | undefined },
  accept: string | undefined,
): Wish | undefined {
  const format = query.explain_format ?? (accept?.trim().toLowerCase() === PNG ? 'png' : 'json');
  if (query.explain === undefined && format === 'json') return undefined;
  return { label: query.explain ?? EXPLAIN_TOP, format };
}

export async function explained(
  services: Services,
  asker: Asker,
  request: Request,
  head: LoadedHead,
  { label, format }: Wish,
  topK: number,
): Promise<Response> {
  const { memory, runtime } = services;
  return withPictures(request, memory.of(asker.tenant), 1, async ([picture]) => {
    const settled = await settle(services, asker, head, picture);
    const found = await classifyAndExplain(services, settled, picture, asker.work, label, topK);
    if (format === 'json') return Response.json(found.classification);
    return new Response(await heatMapPng(runtime, picture, asker.work, found), {
      headers: { 'content-type': PNG, 'cache-control': 'no-store', vary: 'accept' },
    });
  });
}

/** Adds the picture to what the route is documented to answer with. */
export function withHeatMap<C extends object>(responses: {
  200: { description: string; content: C };
}): { 200: { description: string; content: C & { 'image/png': { schema: object } } } } {
  const { description, content } = responses[200];
  return {
    200: { description, content: { ...content, [PNG]: { schema: { type: 'string', format: 'binary' } } } },
  };
}
