/** The part of classify that answers with a heat-map. */
import { EXPLAIN_TOP } from '../../../src/api/index.ts';
import { classifyAndExplain, heatMapPng } from '../explain.ts';
import { chooseVersion } from '../predict.ts';
import type { Explain } from './classify.ts';

const PNG = 'image/png';

/** A request for image/png is one for an explanation, too. */
export const explain: Explain = (services, caller, request, head, query, topK) => {
  const accept = request.headers.get('accept')?.trim().toLowerCase();
  const format = query.explain_format ?? (accept === PNG ? 'png' : 'json');
  if (query.explain === undefined && format === 'json') return undefined;
  const label = query.explain ?? EXPLAIN_TOP;
  return services.withPictures(request, caller.work.memory, 1, async ([picture]) => {
    const loaded = await chooseVersion(services, caller, head, picture);
    const found = await classifyAndExplain(services.tails, loaded, picture, caller.work, label, topK);
    if (format === 'json') return Response.json(found.classification);
    return new Response(await heatMapPng(services.runtime, picture, caller.work, found), {
      headers: { 'content-type': PNG, 'cache-control': 'no-store', vary: 'accept' },
    });
  });
};
