/** From a request's head names and pictures to answers: the hot path, which reads no store when its caches are warm. */
import type { HeadAnswer, ImageInfo } from '../src/api/index.ts';
import { WHOLE } from '../src/backbone/index.ts';
import { readCode, score, type Head } from '../src/head/index.ts';
import type { Env } from './env.ts';
import type { RequestWork } from './request-work.ts';
import type { Runtime } from './runtime.ts';
import type { Services } from './services.ts';
import { fileOf, type HeadFile, type VersionWish } from './stores/pointers.ts';
import { headDamaged } from './stores/reads.ts';

export interface LoadedHead {
  readonly file: HeadFile;
  readonly head: Head;
}

export interface SeenPictures {
  /** n × D, of the frozen backbone. */
  readonly codes: Float32Array;
  readonly images: ImageInfo[];
  /** What tails read: n pictures, and by step n feature maps. */
  readonly pixels: Uint8Array;
  readonly maps: ReadonlyMap<string, Float32Array>;
  /** What backbones besides the one asked saw, for the heads that name them. */
  readonly others?: ReadonlyMap<Runtime, SeenPictures>;
}

/**
 * @param version the current one where absent; which of its stand-ins answers is settled with the picture: see ask.ts.
 * @throws ApiError head_not_found, version_not_found, head_damaged, store_failed
 */
export async function loadHead(
  { pointers, heads }: Services,
  env: Env,
  tenant: string,
  name: string,
  version: VersionWish | undefined,
): Promise<LoadedHead> {
  const file = await pointers.resolve(env, tenant, name, version);
  const head = await heads.load(env, file);
  if (head !== null) return { file, head };
  // The pointer is older than a deletion made elsewhere: ask who knows.
  const confirmed = fileOf(tenant, name, await pointers.confirm(env, tenant, name), version);
  const found = await heads.load(env, confirmed);
  if (found === null) throw headDamaged(confirmed, 'missing');
  return { file: confirmed, head: found };
}

/**
 * Decodes pictures and runs the backbone once over all, however many heads are to look at them; other backbones likewise,
 * where heads name them, and the runtime's own only where a head or none at all does.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
export async function see(
  runtime: Runtime,
  pictures: readonly Uint8Array[],
  work: RequestWork,
  heads: readonly LoadedHead[] = [],
): Promise<SeenPictures> {
  const groups = new Map<Runtime, LoadedHead[]>();
  for (const loaded of heads) {
    const its = await runtime.of(loaded.head);
    groups.set(its, [...(groups.get(its) ?? []), loaded]);
  }
  if (groups.size === 0) groups.set(runtime, []);
  const seen = new Map<Runtime, SeenPictures>();
  for (const [each, its] of groups) seen.set(each, await seeWith(each, pictures, work, its));
  const [first] = seen.values();
  return { ...(seen.get(runtime) ?? first), others: seen };
}

async function seeWith(
  runtime: Runtime,
  pictures: readonly Uint8Array[],
  work: RequestWork,
  heads: readonly LoadedHead[],
): Promise<SeenPictures> {
  const { decoder, plan } = runtime;
  const size = { width: plan.input.width, height: plan.input.height };
  const pixelsEach = size.width * size.height * 3;
  const pixels = new Uint8Array(pictures.length * pixelsEach);
  const images: ImageInfo[] = [];
  for (const [i, bytes] of pictures.entries()) {
    const picture = await decoder.decode(bytes, size, await work.nextPicture());
    pixels.set(picture.pixels, i * pixelsEach);
    images.push({ width: picture.width, height: picture.height, format: picture.format });
  }
  return { ...(await readPixels(runtime, pixels, heads)), images };
}

/** The backbone's part of `see`, for pixels that are there already. */
export async function readPixels(
  runtime: Runtime,
  pixels: Uint8Array,
  heads: readonly LoadedHead[],
): Promise<Omit<SeenPictures, 'images'>> {
  const cuts = new Set(heads.flatMap(({ head }) => head.tail?.from ?? []));
  cuts.delete(WHOLE);
  if (cuts.size === 0) return { codes: runtime.engine.codes(pixels), pixels, maps: new Map() };
  return { ...runtime.engine.codesAndMaps(pixels, [...cuts]), pixels };
}

/**
 * The code that a head reads of the only picture seen: the backbone's, or what its own tail makes of the trunk's map.
 * @param seen with this head among the heads.
 */
export async function codeFor(
  { runtime, tails }: Pick<Services, 'runtime' | 'tails'>,
  loaded: LoadedHead,
  seen: Omit<SeenPictures, 'images'>,
): Promise<Float32Array> {
  const { file, head } = loaded;
  const its = await runtime.of(head);
  if (its !== runtime) {
    const theirs = seen.others?.get(its);
    if (theirs === undefined)
      throw new Error(`The picture was not shown to the backbone of the head ${file.head}.`);
    return codeFor({ runtime: its, tails }, loaded, theirs);
  }
  const { codes, pixels, maps } = seen;
  if (head.tail === undefined) return readCode(head, runtime.plan, codes);
  const { engine } = runtime;
  return readCode(head, runtime.plan, codes, tails.codes(engine, file.objectName, head.tail, pixels, maps));
}

/**
 * What a head says: labels from the most probable down, equal ones in the head's order.
 * @param code of one picture, from `codeFor`.
 */
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
