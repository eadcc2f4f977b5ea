/** What the protocols need of the core: images in, every label's logit and probability out. */
import type { z } from 'zod';
import { HeadName, VersionWish } from '../../src/api/index.ts';
import { MAX_TENSOR_JSON_BYTES, TENSOR_JSON_MEMORY_FACTOR } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import type { Services } from '../isolate/services.ts';
import { codeFor, runBackbone } from '../predict/features.ts';
import { predict, predictCode, type Caller, type Prediction } from '../predict/predict.ts';
import type { LoadedHead } from '../stores/head-loader.ts';

/** A JSON body of numbers; what it takes to read it. */
export const TENSOR_JSON = { maxBytes: MAX_TENSOR_JSON_BYTES, factor: TENSOR_JSON_MEMORY_FACTOR };

export interface Scores {
  readonly labels: readonly string[];
  /** Logits over the head's temperature: their softmax is the probabilities. */
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  readonly unknown: { readonly score: number; readonly isUnknown: boolean };
}

/** @throws HeadwaterError image_…; ApiError too_much_work */
export async function scorePicture(
  services: Services,
  caller: Caller,
  head: LoadedHead,
  picture: Uint8Array,
): Promise<Scores> {
  return scoresOf(await predict(services, caller, head, picture));
}

/**
 * @param pixels of one image, as the head's backbone reads them. @param loaded the version that answers.
 * @throws ApiError too_much_work
 */
export async function scorePixels(
  services: Services,
  caller: Caller,
  loaded: LoadedHead,
  pixels: Uint8Array,
): Promise<Scores> {
  const { head, runtime } = loaded;
  const features = await runBackbone(runtime, pixels, [head], caller.work);
  const code = codeFor(services.tails, loaded, features);
  const extracted = { features: new Map([[runtime, features]]), later: new Map() };
  return scoresOf(await predictCode(services, caller, { loaded, code, extracted, input: pixels }));
}

export function scoresOf({ loaded: { head }, scores }: Prediction): Scores {
  const { labels, temperature } = head;
  return { ...scores, labels, logits: scores.logits.map((logit) => logit / temperature) };
}

export interface HeadReference {
  readonly head: string;
  readonly version: z.output<typeof VersionWish> | undefined;
}

/** A head's name with an optional @version, a number or a name, for protocols without versions of their own. */
export function headReference(text: string): HeadReference {
  const [name, wish, ...rest] = text.split('@');
  const head = HeadName.safeParse(name);
  const version = wish === undefined ? undefined : VersionWish.safeParse(wish);
  if (head.success && version?.success !== false && rest.length === 0) {
    return { head: head.data, version: version?.data };
  }
  throw new ApiError(
    'head_not_found',
    `There is no head '${text.slice(0, 80)}'. GET /v1/heads lists those there are.`,
  );
}
