/**
 * The console's pages and the API reference. They go through this Worker, so that the rules for every request hold
 * for them too: a bounded address, and a body that is read before the answer.
 */
import { requestFault } from './address.ts';
import type { Env } from '../env.ts';

/** The page at an address, or undefined where there is none. */
export async function pageOf(request: Request, { ASSETS }: Env): Promise<Response | undefined> {
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (ASSETS === undefined || !isRead || requestFault(request) !== undefined) return undefined;
  // Without the body that a client may have sent for no reason.
  const page = await ASSETS.fetch(
    new Request(request.url, { method: request.method, headers: request.headers }),
  );
  if (page.status !== 404) return new Response(page.body, page);
  await page.body?.cancel();
  return undefined;
}
