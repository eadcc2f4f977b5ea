/** From a request's head names and pictures to answers: the hot path, which reads no store when its caches are warm. */
import type { HeadAnswer, ImageInfo } from '../../src/api/index.ts';
import { WHOLE } from '../../src/backbone/index.ts';
import { HeadwaterError } from '../../src/errors.ts';
import { readCode, score, type Head, type PictureInput } from '../../src/head/index.ts';
import type { DecodedImage, ImageDecoder } from '../../src/image/index.ts';
import type { Env } from '../env.ts';
import { ApiError } from '../http/problem.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Runtime } from '../isolate/backbones.ts';
import type { Services } from '../isolate/services.ts';
import { fileOf, type HeadFile, type VersionWish } from '../stores/pointers.ts';
import { headDamaged } from '../stores/head-files.ts';

export interface LoadedHead {
  readonly file: HeadFile;
  readonly head: Head;
}

/** What a backbone made of one picture at one size. */
export interface Seen {
  /** [D] of the frozen backbone. */
  readonly code: Float32Array;
  /** What tails read: the picture, and by step its feature maps. */
  readonly pixels: Uint8Array;
  readonly maps: ReadonlyMap<string, Float32Array>;
}

/** One picture, as the runtimes of all heads that are to answer saw it. */
export type SeenBy = ReadonlyMap<Runtime, Seen>;

/** The same for runtimes whose network is not run before somebody asks: once, however often that is. */
export type SeenLater = ReadonlyMap<Runtime, () => Promise<Seen>>;

/**
 * @param version the current one where absent; which of its stand-ins answers is settled with the picture: see predict.ts.
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

/** Heads, if any, by the runtime that makes what they read. */
export type ByRuntime = ReadonlyMap<Runtime, readonly LoadedHead[]>;

export interface Shown {
  readonly seen: SeenBy;
  readonly later: SeenLater;
  readonly image: ImageInfo;
}

/**
 * Shows a picture to every backbone, at every size, that a head reads: decoded once for each size and pixel rules, each
 * network run once, however many heads look at it.
 * @param runtime is shown the picture where there are no heads.
 * @param silent heads whose answers nobody waits for: see `show`.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
export async function see(
  runtime: Runtime,
  picture: Uint8Array,
  work: RequestWork,
  heads: readonly LoadedHead[] = [],
  silent: readonly LoadedHead[] = [],
): Promise<Shown> {
  const groups = await byRuntime(runtime, heads);
  if (groups.size === 0) groups.set(runtime, []);
  return show(runtime.decoder, picture, work, groups, await byRuntime(runtime, silent));
}

/**
 * The same for runtimes that are known.
 * @param groups at least one. @param silent others, which may go without: the picture is decoded for them as well, where the
 *   work that is set aside for them and a decoder's memory allow it, and each network can be run later.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
export async function show(
  decoder: ImageDecoder,
  picture: Uint8Array,
  work: RequestWork,
  groups: ByRuntime,
  silent: ByRuntime = new Map(),
): Promise<Shown> {
  const others = [...silent].filter(([its]) => !groups.has(its));
  const inputs = distinctInputs(groups.keys());
  const all = distinctInputs([...groups.keys(), ...others.map(([its]) => its)]);
  const decoded = await decode(decoder, picture, inputs, all, work);
  const pixelsFor = ({ input }: Runtime): Uint8Array | undefined =>
    decoded[all.findIndex((each) => sameInput(each, input))]?.pixels;
  const seen = new Map<Runtime, Seen>();
  for (const [its, heads] of groups) {
    const pixels = pixelsFor(its);
    if (pixels !== undefined) seen.set(its, await readPixels(its, pixels, heads, work));
  }
  const later = new Map<Runtime, () => Promise<Seen>>();
  for (const [its, heads] of others) {
    const pixels = pixelsFor(its);
    if (pixels === undefined) continue;
    let run: Promise<Seen> | undefined;
    later.set(its, () => (run ??= readPixels(its, pixels, heads, work.silent)));
  }
  const [{ width, height, format }] = decoded;
  return { seen, later, image: { width, height, format } };
}

async function byRuntime(
  runtime: Runtime,
  heads: readonly LoadedHead[],
): Promise<Map<Runtime, LoadedHead[]>> {
  const groups = new Map<Runtime, LoadedHead[]>();
  for (const loaded of heads) {
    const its = await runtime.of(loaded.head);
    const group = groups.get(its);
    if (group === undefined) groups.set(its, [loaded]);
    else group.push(loaded);
  }
  return groups;
}

/**
 * @param inputs the first of `all`. @returns one picture for each of all; where that is too much, only for the first ones.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
async function decode(
  decoder: ImageDecoder,
  picture: Uint8Array,
  inputs: readonly PictureInput[],
  all: readonly PictureInput[],
  work: RequestWork,
): Promise<readonly DecodedImage[]> {
  const options = await work.nextPicture();
  if (all.length > inputs.length) {
    try {
      const allow = (workNs: number): void => work.silent.decode(workNs);
      return await decoder.decodeAll(picture, all, { ...options, allow });
    } catch (error) {
      if (!isTooMuch(error)) throw error;
    }
  }
  return decoder.decodeAll(picture, inputs, options);
}

/** More than is allowed for one request, or for one picture. */
export function isTooMuch(error: unknown): boolean {
  return (
    (error instanceof ApiError && error.code === 'too_much_work') ||
    (error instanceof HeadwaterError && error.code === 'image_too_many_pixels')
  );
}

function distinctInputs(runtimes: Iterable<Runtime>): PictureInput[] {
  const inputs: PictureInput[] = [];
  for (const { input } of runtimes) {
    if (!inputs.some((known) => sameInput(known, input))) inputs.push(input);
  }
  return inputs;
}

function sameInput(a: PictureInput, b: PictureInput): boolean {
  return a.height === b.height && a.width === b.width && a.rules === b.rules;
}

/**
 * The backbone's part of `see`, for pixels that are there already.
 * @param pixels of one picture, at the runtime's size. @param heads that read what this runtime makes.
 * @throws ApiError too_much_work
 */
export async function readPixels(
  runtime: Runtime,
  pixels: Uint8Array,
  heads: readonly LoadedHead[],
  work: RequestWork,
): Promise<Seen> {
  await work.nextRun(runtime);
  const cuts = new Set(heads.flatMap(({ head }) => head.tail?.from ?? []));
  cuts.delete(WHOLE);
  if (cuts.size === 0) return { code: runtime.engine.codes(pixels), pixels, maps: new Map() };
  const { codes, maps } = runtime.engine.codesAndMaps(pixels, [...cuts]);
  return { code: codes, pixels, maps };
}

/**
 * The code that a head reads of the picture: the backbone's, or what its own tail makes of the trunk's map.
 * @param seen with this head among the heads.
 */
export async function codeFor(
  { runtime, tails }: Pick<Services, 'runtime' | 'tails'>,
  { file, head }: LoadedHead,
  seen: SeenBy,
): Promise<Float32Array> {
  const its = await runtime.of(head);
  const found = seen.get(its);
  if (found === undefined)
    throw new Error(`The picture was not shown to the backbone of the head ${file.head}.`);
  const { code, pixels, maps } = found;
  if (head.tail === undefined) return readCode(head, its.plan, code);
  return readCode(head, its.plan, code, tails.codes(its.engine, file.objectName, head.tail, pixels, maps));
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
