/**
 * A picture shown to heads on behalf of a request, in whatever protocol it came: for each head it is settled which of its
 * versions answers, all of them see the picture in one pass, and what follows an answer (follow-up.ts) is set going.
 */
import type { HeadAnswer, ImageInfo } from '../../src/api/index.ts';
import { follow, shadowsOf } from './follow-up.ts';
import { sha256Hex } from '../access/api-key.ts';
import { answer, codeFor, see, type LoadedHead, type SeenBy, type SeenLater } from './features.ts';
import type { Env } from '../env.ts';
import { CAPTURED_LABELS } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { workOf, type RequestWork, type Working } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';

/** Who asks. */
export interface Asker {
  readonly env: Env;
  readonly tenant: string;
  /** What the caller wants to be told apart by, in place of the picture: see `routingKey`. */
  readonly key: string | undefined;
  readonly work: RequestWork;
}

/** What answers a picture, and what it reads of it. */
export interface Asked {
  readonly loaded: LoadedHead;
  readonly code: Float32Array;
  /** Where the prediction is kept for review. */
  readonly id: string | undefined;
}

/** A request's own key for the canary's share: a user's id, for example, who should always meet the same version. */
export const ROUTING_KEY = 'routing-key';
export const MAX_ROUTING_KEY_LENGTH = 256;

/** @throws ApiError invalid_request */
export function askerOf(
  c: Working & {
    readonly env: Env;
    readonly req: { header(name: string): string | undefined };
    get(key: 'principal'): { readonly tenant: string };
  },
): Asker {
  const key = c.req.header(ROUTING_KEY);
  if (key !== undefined && (key === '' || key.length > MAX_ROUTING_KEY_LENGTH)) {
    throw new ApiError(
      'invalid_request',
      `The header ${ROUTING_KEY} must be 1 to ${MAX_ROUTING_KEY_LENGTH} characters long.`,
      { field: ROUTING_KEY },
    );
  }
  return { env: c.env, tenant: c.get('principal').tenant, key, work: workOf(c) };
}

/** One picture, one head. @throws HeadwaterError image_…; ApiError too_much_work */
export async function ask(
  services: Services,
  asker: Asker,
  head: LoadedHead,
  picture: Uint8Array,
): Promise<Asked & { readonly image: ImageInfo }> {
  const { asked, image } = await askAll(services, asker, [head], picture);
  return { ...asked[0], image };
}

/** @param heads one answer each, in their order. @throws HeadwaterError image_…; ApiError too_much_work */
export async function askAll(
  services: Services,
  asker: Asker,
  heads: readonly LoadedHead[],
  picture: Uint8Array,
): Promise<{ readonly asked: Asked[]; readonly image: ImageInfo }> {
  const chosen: LoadedHead[] = [];
  for (const head of heads) chosen.push(await settle(services, asker, head, picture));
  const silent = shadowsOf(services, chosen);
  const { seen, later, image } = await see(services.runtime, picture, asker.work, chosen, silent);
  const asked: Asked[] = [];
  for (const loaded of chosen) {
    const code = await codeFor(services, loaded, seen);
    const id = await noted(services, asker, { loaded, seen, later, code, shown: picture });
    asked.push({ loaded, code, id });
  }
  return { asked, image };
}

/**
 * The version that answers: the canary where the hash of the caller's key, or of what is shown, falls into its share.
 * So the same picture always meets the same version, and a share that grows only takes pictures from the other one.
 * @param shown the picture as it came, or the numbers that came in its place.
 * @returns a head with which nothing is left to settle.
 */
export async function settle(
  services: Pick<Services, 'heads'>,
  { env, key }: Asker,
  loaded: LoadedHead,
  shown: Uint8Array,
): Promise<LoadedHead> {
  const { canary, ...file } = loaded.file;
  if (canary === undefined) return loaded;
  const current = { ...loaded, file };
  const hash = await sha256Hex(key ?? shown);
  if (shareOf(hash) * 100 >= canary.percent) return current;
  const head = await services.heads.load(env, canary.file);
  // Deleted elsewhere a moment ago: the current version answers all.
  return head === null ? current : { file: canary.file, head };
}

/** A head that answers, and what it answers to. */
export interface Noted {
  readonly loaded: LoadedHead;
  readonly seen: SeenBy;
  /** What a version in the shadow may see besides; nothing where numbers came in the picture's place. */
  readonly later?: SeenLater;
  readonly code: Float32Array;
  /** The picture as it came, or the numbers that came in its place. */
  readonly shown: Uint8Array;
}

const NOTHING: SeenLater = new Map();

/** Sets going what follows an answer. @returns the prediction's id where it is kept for review. */
export async function noted(
  services: Services,
  { env, tenant, work }: Asker,
  { loaded, seen, later = NOTHING, code, shown }: Noted,
): Promise<string | undefined> {
  const { capture, shadow } = loaded.file;
  if (capture !== true && shadow === undefined) return undefined;
  const said: HeadAnswer = answer(loaded, code, CAPTURED_LABELS);
  const picture = capture === true ? await sha256Hex(shown) : undefined;
  return follow(services, env, { tenant, loaded, seen, later, work, code, picture, answer: said });
}

/** The first 32 bits as a number from 0 to 1, without 1. */
function shareOf(hash: string): number {
  return Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32;
}
