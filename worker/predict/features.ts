/** Features of an image: decoded once for each size and pixel rules, and run once through each backbone that a head reads. */
import type { ImageInfo } from '../../src/api/index.ts';
import { WHOLE } from '../../src/backbone/index.ts';
import { HeadwaterError } from '../../src/errors.ts';
import { readCode, sameInput, type Head, type PictureInput } from '../../src/head/index.ts';
import type { DecodedImage } from '../../src/image/index.ts';
import { ApiError } from '../http/problem.ts';
import type { Runtime } from '../isolate/backbones.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import type { TailStore } from '../stores/tails.ts';

/** What a backbone made of one image at one size. */
export interface Features {
  /** [D] of the frozen backbone. */
  readonly code: Float32Array;
  /** What tails read: the image as bytes of RGB, and feature maps by step. */
  readonly pixels: Uint8Array;
  readonly maps: ReadonlyMap<string, Float32Array>;
}

/** What features are extracted for: a head, or a runtime's own code. */
export interface FeatureReader {
  readonly runtime: Runtime;
  readonly head?: Head;
}

export interface Extracted {
  /** Of the runtime of every reader. */
  readonly features: ReadonlyMap<Runtime, Features>;
  /** Of runtimes that only optional readers need: extracted when first called. */
  readonly later: ReadonlyMap<Runtime, () => Promise<Features>>;
  readonly image: ImageInfo;
}

/**
 * @param readers at least one.
 * @param optional readers that may go without. The image is decoded for them too, if their own budget and the decoder's memory
 *   allow it.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
export async function extractFeatures(
  image: Uint8Array,
  work: RequestWork,
  readers: readonly FeatureReader[],
  optional: readonly FeatureReader[] = [],
): Promise<Extracted> {
  const groups = byRuntime(readers);
  const others = [...byRuntime(optional)].filter(([runtime]) => !groups.has(runtime));
  const inputs = distinctInputs(groups.keys());
  const all = distinctInputs([...groups.keys(), ...others.map(([runtime]) => runtime)]);
  const decoded = await decode(readers[0].runtime, image, inputs, all, work);
  const pixelsFor = ({ input }: Runtime): Uint8Array | undefined =>
    decoded[all.findIndex((each) => sameInput(each, input))]?.pixels;
  const features = new Map<Runtime, Features>();
  for (const [runtime, heads] of groups) {
    const pixels = pixelsFor(runtime);
    if (pixels !== undefined) features.set(runtime, await runBackbone(runtime, pixels, heads, work));
  }
  const later = new Map<Runtime, () => Promise<Features>>();
  for (const [runtime, heads] of others) {
    const pixels = pixelsFor(runtime);
    if (pixels === undefined) continue;
    let run: Promise<Features> | undefined;
    later.set(runtime, () => (run ??= runBackbone(runtime, pixels, heads, work.silent)));
  }
  const [{ width, height, format }] = decoded;
  return { features, later, image: { width, height, format } };
}

function byRuntime(readers: readonly FeatureReader[]): Map<Runtime, Head[]> {
  const groups = new Map<Runtime, Head[]>();
  for (const { runtime, head } of readers) {
    const group = groups.get(runtime) ?? [];
    if (head !== undefined) group.push(head);
    groups.set(runtime, group);
  }
  return groups;
}

/**
 * @param inputs the first of `all`. @returns an image for each of all, or only for the first ones where all are too much.
 * @throws HeadwaterError image_…; ApiError too_much_work
 */
async function decode(
  { decoder }: Runtime,
  image: Uint8Array,
  inputs: readonly PictureInput[],
  all: readonly PictureInput[],
  work: RequestWork,
): Promise<readonly DecodedImage[]> {
  const options = await work.nextPicture();
  if (all.length > inputs.length) {
    try {
      const allow = (workNs: number): void => work.silent.decode(workNs);
      return await decoder.decodeAll(image, all, { ...options, allow });
    } catch (error) {
      if (!isTooMuch(error)) throw error;
    }
  }
  return decoder.decodeAll(image, inputs, options);
}

/** More than is allowed for one request, or for one image. */
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

/**
 * @param pixels of one image, at the runtime's size. @param heads whose tails say which feature maps are kept.
 * @throws ApiError too_much_work
 */
export async function runBackbone(
  runtime: Runtime,
  pixels: Uint8Array,
  heads: readonly Head[],
  work: RequestWork,
): Promise<Features> {
  await work.nextRun(runtime);
  const cuts = new Set(heads.flatMap(({ tail }) => tail?.from ?? []));
  cuts.delete(WHOLE);
  if (cuts.size === 0) return { code: runtime.engine.codes(pixels), pixels, maps: new Map() };
  const { codes, maps } = runtime.engine.codesAndMaps(pixels, [...cuts]);
  return { code: codes, pixels, maps };
}

/**
 * The code that a head reads: the backbone's, or what its own tail makes of the feature map that it starts from.
 * @param features of the head's runtime, extracted with this head among the readers.
 */
export function codeFor(
  tails: TailStore,
  { file, head, runtime: { plan, engine } }: LoadedHead,
  features: Features | undefined,
): Float32Array {
  if (features === undefined) throw new Error(`There are no features for the head ${file.head}.`);
  const { code, pixels, maps } = features;
  if (head.tail === undefined) return readCode(head, plan, code);
  return readCode(head, plan, code, tails.codes(engine, file.objectName, head.tail, pixels, maps));
}
