/** What the protocols ask of the core: pictures in, every label's logit and probability out. */
import type { z } from 'zod';
import { HeadName, VersionWish } from '../../src/api/index.ts';
import { score, type Head } from '../../src/head/index.ts';
import { ask, noted, type Asker } from '../predict/predict.ts';
import { codeFor, readPixels, type LoadedHead } from '../predict/features.ts';
import { ApiError } from '../http/problem.ts';
import type { Services } from '../isolate/services.ts';

export interface Scores {
  readonly labels: readonly string[];
  /** Logits over the head's temperature: their softmax is the probabilities. */
  readonly logits: Float32Array;
  readonly probabilities: Float32Array;
  readonly unknown: { readonly score: number; readonly isUnknown: boolean };
}

/** @throws HeadwaterError image_… */
export async function scorePicture(
  services: Services,
  asker: Asker,
  head: LoadedHead,
  picture: Uint8Array,
): Promise<Scores> {
  const { loaded, code } = await ask(services, asker, head, picture);
  return scoreCode(loaded.head, code);
}

/**
 * @param pixels of one picture, as the head's backbone reads them. @param loaded settled.
 * @throws ApiError too_much_work
 */
export async function scorePixels(
  services: Services,
  asker: Asker,
  loaded: LoadedHead,
  pixels: Uint8Array,
): Promise<Scores> {
  const runtime = await services.runtime.of(loaded.head);
  const seen = new Map([[runtime, await readPixels(runtime, pixels, [loaded], asker.work)]]);
  const code = await codeFor(services, loaded, seen);
  await noted(services, asker, { loaded, seen, code, shown: pixels });
  return scoreCode(loaded.head, code);
}

/** @param code as the head reads it. */
export function scoreCode(head: Head, code: Float32Array): Scores {
  const { labels, temperature } = head;
  const { logits, probabilities, unknown } = score(head, code);
  return { labels, logits: logits.map((logit) => logit / temperature), probabilities, unknown };
}

/** Indices of the largest values, equal ones in their order. */
export function topIndices(values: ArrayLike<number>, count: number): number[] {
  return Array.from({ length: values.length }, (_, i) => i)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, count);
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
