/**
 * What follows a prediction once it was sent: the shadow version is compared, and an uncertain prediction is kept for review.
 * Nothing here can fail the request, and the answer waits for nothing here.
 */
import { waitUntil } from 'cloudflare:workers';
import { WHOLE } from '../../src/backbone/index.ts';
import { score, spaceOf, type Score } from '../../src/head/index.ts';
import { newKeyId } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { CAPTURED_LABELS, UNCERTAIN_LEAD } from '../limits.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';
import type { LoadedHead } from '../stores/head-loader.ts';
import { callTenant } from '../tenant/call.ts';
import { codeFor, runBackbone, type Extracted, type Features } from './features.ts';

interface Caller {
  readonly env: Env;
  readonly tenant: string;
  readonly work: RequestWork;
}

interface Scored {
  readonly loaded: LoadedHead;
  readonly code: Float32Array;
  readonly scores: Score;
  /** Indices of labels from the most probable down. */
  readonly order: readonly number[];
  readonly extracted: Pick<Extracted, 'features' | 'later'>;
}

/** @param imageHash SHA-256 of the image. @returns the prediction's id where it is kept for review. */
export async function followUp(
  services: Services,
  caller: Caller,
  scored: Scored,
  imageHash: () => Promise<string>,
): Promise<string | undefined> {
  const { capture, shadow } = scored.loaded.file;
  const picture = capture === true ? await imageHash() : undefined;
  if (shadow !== undefined) waitUntil(quietly('shadow', compareShadow(services, caller, scored)));
  return picture === undefined ? undefined : captureUncertain(caller, scored, picture);
}

/**
 * The shadow versions of these heads whose files this isolate has: they say what else the image is to be decoded for. Others are
 * fetched after the answer; those of another code space miss this image.
 */
export async function shadowsOf(
  { loader }: Pick<Services, 'loader'>,
  heads: readonly LoadedHead[],
): Promise<LoadedHead[]> {
  const found = await Promise.all(heads.map(async ({ file: { shadow } }) => shadow && loader.kept(shadow)));
  return found.flatMap((each) => each ?? []);
}

async function compareShadow(
  services: Services,
  { env, tenant, work }: Caller,
  { loaded, order, extracted }: Scored,
): Promise<void> {
  const { shadow: file } = loaded.file;
  const shadow = file && (await services.loader.load(env, file));
  if (shadow == null) return;
  const features = await featuresFor(shadow, extracted, work);
  if (features === undefined) return;
  const { probabilities } = score(shadow.head, codeFor(services.tails, shadow, features));
  const label = shadow.head.labels[probabilities.indexOf(Math.max(...probabilities))];
  const { head, version } = shadow.file;
  services.metering.countShadow(env, tenant, head, version, label !== loaded.head.labels[order[0]]);
}

/**
 * Undefined where numbers came that the head cannot read, where decoding for it as well was too much work, or where its file was
 * not in the isolate before the answer.
 */
async function featuresFor(
  { head, runtime }: LoadedHead,
  { features, later }: Pick<Extracted, 'features' | 'later'>,
  work: RequestWork,
): Promise<Features | undefined> {
  const found = features.get(runtime) ?? (await later.get(runtime)?.());
  if (found === undefined || head.tail === undefined) return found;
  // Codes came in place of an image: there is nothing that a tail could read.
  if (found.pixels.length === 0) return undefined;
  if (head.tail.from === WHOLE || found.maps.has(head.tail.from)) return found;
  // The answering head didn't need this feature map: the backbone runs again, after the answer.
  return runBackbone(runtime, found.pixels, [head], work.silent);
}

function captureUncertain(
  { env, tenant }: Caller,
  { loaded: { file, head }, code, scores: { probabilities, unknown }, order }: Scored,
  picture: string,
): string | undefined {
  const lead = probabilities[order[0]] - (probabilities[order[1]] ?? 0);
  if (lead >= UNCERTAIN_LEAD && !unknown.isUnknown) return undefined;
  const id = newKeyId();
  const kept = {
    id,
    version: file.version,
    picture,
    code: new Uint8Array(Float16Array.from(code).buffer),
    space: spaceOf(head),
    predictions: order
      .slice(0, CAPTURED_LABELS)
      .map((i) => ({ label: head.labels[i], score: probabilities[i] })),
    unknown: { score: unknown.score, is_unknown: unknown.isUnknown },
    // A small lead: the label decides between classes. Unknown: it may be a new class.
    worth: 1 - lead + (unknown.isUnknown ? 1 : 0),
  };
  const sent = callTenant(env, tenant, (stub) => stub.examples.capture(file.head, kept));
  waitUntil(quietly('capture', sent));
  return id;
}

async function quietly<T>(what: string, work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    console.warn(JSON.stringify({ message: `${what} failed`, reason: String(error) }));
    return undefined;
  }
}
