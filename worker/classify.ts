/** From a request's head names and pictures to answers: the hot path, which reads no store when its caches are warm. */
import type { HeadAnswer, ImageInfo } from '../src/api/index.ts';
import { score, type Head } from '../src/head/index.ts';
import type { Env } from './env.ts';
import type { Runtime } from './runtime.ts';
import type { Services } from './services.ts';
import { fileOf, type HeadFile } from './stores/pointers.ts';

export interface LoadedHead {
  readonly file: HeadFile;
  readonly head: Head;
}

export interface SeenPictures {
  /** n × D. */
  readonly codes: Float32Array;
  readonly images: ImageInfo[];
}

/**
 * @param version the current one where absent.
 * @throws ApiError head_not_found, version_not_found
 */
export async function loadHead(
  { pointers, heads }: Services,
  env: Env,
  tenant: string,
  name: string,
  version: number | undefined,
): Promise<LoadedHead> {
  const file = await pointers.resolve(env, tenant, name, version);
  const head = await heads.load(env, file);
  if (head !== null) return { file, head };
  // The pointer is older than a deletion made elsewhere: ask who knows.
  const confirmed = fileOf(tenant, name, await pointers.confirm(env, tenant, name), version);
  const found = await heads.load(env, confirmed);
  if (found === null)
    throw new Error(`The object ${confirmed.objectName} is missing though its version is committed.`);
  return { file: confirmed, head: found };
}

/** Decodes pictures and runs the backbone once over all. @throws HeadwaterError image_… */
export async function see(
  { decoder, engine, plan }: Runtime,
  pictures: readonly Uint8Array[],
): Promise<SeenPictures> {
  const size = { width: plan.input.width, height: plan.input.height };
  const pixelsEach = size.width * size.height * 3;
  const pixels = new Uint8Array(pictures.length * pixelsEach);
  const images: ImageInfo[] = [];
  for (const [i, bytes] of pictures.entries()) {
    const picture = await decoder.decode(bytes, size);
    pixels.set(picture.pixels, i * pixelsEach);
    images.push({ width: picture.width, height: picture.height, format: picture.format });
  }
  return { codes: engine.codes(pixels), images };
}

/** What a head says about one code: labels from the most probable down, equal ones in the head's order. */
export function answer({ file, head }: LoadedHead, code: Float32Array, topK: number): HeadAnswer {
  const { probabilities, unknown } = score(head, code);
  const order = Array.from(probabilities, (_, i) => i).sort(
    (a, b) => probabilities[b] - probabilities[a] || a - b,
  );
  return {
    head: file.head,
    version: file.version,
    predictions: order.slice(0, topK).map((i) => ({ label: head.labels[i], score: probabilities[i] })),
    unknown: { score: unknown.score, is_unknown: unknown.isUnknown },
  };
}
