/** From loaded heads and an image to predictions, for requests of every protocol. */
import type { Context } from 'hono';
import type { HeadAnswer, ImageInfo } from '../../src/api/index.ts';
import { score, type Score } from '../../src/head/index.ts';
import { sha256Hex } from '../access/api-key.ts';
import type { AppEnv, Env } from '../env.ts';
import { ApiError } from '../http/problem.ts';
import { MAX_ROUTING_KEY_LENGTH, ROUTING_KEY } from '../limits.ts';
import { workOf, type RequestWork } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import { codeFor, extractFeatures, type Extracted } from './features.ts';
import { followUp, shadowsOf } from './follow-up.ts';

/** On whose behalf a prediction is made. */
export interface Caller {
  readonly env: Env;
  readonly tenant: string;
  /** What the canary's share is drawn by in place of the image. */
  readonly key: string | undefined;
  readonly work: RequestWork;
}

export interface Prediction {
  /** The version that answered. */
  readonly loaded: LoadedHead;
  readonly scores: Score;
  /** Indices of labels from the most probable down, equal ones in the head's order. */
  readonly order: readonly number[];
  /** Where the prediction is kept for review. */
  readonly id: string | undefined;
}

/** @throws ApiError invalid_request */
export function callerOf(c: Context<AppEnv>): Caller {
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

/** One image, one head. @throws HeadwaterError image_…; ApiError too_much_work */
export async function predict(
  services: Services,
  caller: Caller,
  head: LoadedHead,
  image: Uint8Array,
): Promise<Prediction & { readonly image: ImageInfo }> {
  const { predictions, image: info } = await predictAll(services, caller, [head], image);
  return { ...predictions[0], image: info };
}

/** @param heads one prediction each, in their order. @throws HeadwaterError image_…; ApiError too_much_work */
export async function predictAll(
  services: Services,
  caller: Caller,
  heads: readonly LoadedHead[],
  image: Uint8Array,
): Promise<{ readonly predictions: Prediction[]; readonly image: ImageInfo }> {
  const chosen: LoadedHead[] = [];
  for (const head of heads) chosen.push(await chooseVersion(services, caller, head, image));
  const shadows = await shadowsOf(services, chosen);
  const extracted = await extractFeatures(image, caller.work, chosen, shadows);
  const predictions: Prediction[] = [];
  for (const loaded of chosen) {
    const code = codeFor(services.tails, loaded, extracted.features.get(loaded.runtime));
    predictions.push(await predictCode(services, caller, { loaded, extracted, code, input: image }));
  }
  return { predictions, image: extracted.image };
}

/** A head's code of one image, and where it comes from. */
export interface CodeToScore {
  readonly loaded: LoadedHead;
  readonly code: Float32Array;
  /** For the shadow version. `later` is empty where numbers came in place of an image. */
  readonly extracted: Pick<Extracted, 'features' | 'later'>;
  /** The image as it came, or the numbers that came in its place. */
  readonly input: Uint8Array;
}

/** Scores a code, and starts the follow-up of the prediction (follow-up.ts). */
export async function predictCode(
  services: Services,
  caller: Caller,
  { loaded, code, extracted, input }: CodeToScore,
): Promise<Prediction> {
  const scores = score(loaded.head, code);
  const order = topIndices(scores.probabilities);
  const scored = { loaded, code, scores, order, extracted };
  const id = await followUp(services, caller, scored, () => imageHash(input));
  return { loaded, scores, order, id };
}

/**
 * The version that answers: the canary where the hash of the caller's key, or of the image, falls into its share. The same
 * image thus always gets the same version, and a share that grows only moves images to the canary.
 * @param input the image as it came, or the numbers that came in its place.
 */
export async function chooseVersion(
  { loader }: Pick<Services, 'loader'>,
  { env, key }: Caller,
  loaded: LoadedHead,
  input: Uint8Array,
): Promise<LoadedHead> {
  const { canary, ...file } = loaded.file;
  if (canary === undefined) return loaded;
  const current = { ...loaded, file };
  const hash = await (key === undefined ? imageHash(input) : sha256Hex(key));
  if (shareOf(hash) * 100 >= canary.percent) return current;
  // Where it was deleted a moment ago, the current version answers all.
  return (await loader.load(env, canary.file)) ?? current;
}

export function answerOf(
  { loaded: { file, head }, scores: { probabilities, unknown }, order, id }: Prediction,
  topK: number,
): HeadAnswer {
  return {
    id,
    head: file.head,
    version: file.version,
    predictions: order.slice(0, topK).map((i) => ({ label: head.labels[i], score: probabilities[i] })),
    unknown: { score: unknown.score, is_unknown: unknown.isUnknown },
  };
}

/** Indices of the largest values, equal ones in their order. */
export function topIndices(values: Float32Array, count = values.length): number[] {
  return Array.from(values, (_, i) => i)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, count);
}

const hashes = new WeakMap<Uint8Array, Promise<string>>();

/** SHA-256 of an input, computed once however many heads need it. @param input not changed from now on. */
function imageHash(input: Uint8Array): Promise<string> {
  const hash = hashes.get(input) ?? sha256Hex(input);
  hashes.set(input, hash);
  return hash;
}

/** The first 32 bits as a number from 0 to 1, without 1. */
function shareOf(hash: string): number {
  return Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32;
}
