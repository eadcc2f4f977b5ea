/**
 * What follows an answer, after it was sent: the version in the shadow is asked and compared, and a prediction that a
 * person's label would help is kept for review. Nothing here can fail the request, and the request waits for nothing here.
 */
import { waitUntil } from 'cloudflare:workers';
import type { HeadAnswer } from '../../src/api/index.ts';
import { WHOLE } from '../../src/backbone/index.ts';
import { score, spaceOf } from '../../src/head/index.ts';
import { newKeyId } from '../access/api-key.ts';
import { codeFor, readPixels, type LoadedHead, type SeenBy, type SeenLater } from './features.ts';
import type { Env } from '../env.ts';
import { CAPTURED_LABELS, UNCERTAIN_LEAD } from '../limits.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';
import { callTenant } from '../tenant/call.ts';

export interface Answered {
  readonly tenant: string;
  readonly loaded: LoadedHead;
  readonly seen: SeenBy;
  readonly later: SeenLater;
  readonly work: RequestWork;
  /** What the head read of it. */
  readonly code: Float32Array;
  /** SHA-256 of the picture; undefined where nothing is to be captured. */
  readonly picture: string | undefined;
  readonly answer: HeadAnswer;
}

/** @returns the prediction's id where it is kept for review. */
export function follow(services: Services, env: Env, answered: Answered): string | undefined {
  if (answered.loaded.file.shadow !== undefined)
    waitUntil(quietly('shadow', askShadow(services, env, answered)));
  return capture(env, answered);
}

/**
 * The versions in the shadow of these heads, as far as their files are in the isolate: only they tell what else the picture is
 * to be decoded for. Others are fetched behind the answer, and those of another code space miss the picture.
 */
export function shadowsOf(
  { heads }: Pick<Services, 'heads'>,
  answering: readonly LoadedHead[],
): LoadedHead[] {
  return answering.flatMap(({ file: { shadow } }) => {
    const head = shadow && heads.kept(shadow);
    return shadow === undefined || head === undefined ? [] : { file: shadow, head };
  });
}

async function askShadow(
  services: Services,
  env: Env,
  { tenant, loaded, seen, later, work, answer }: Answered,
): Promise<void> {
  const { shadow } = loaded.file;
  if (shadow === undefined) return;
  const head = await services.heads.load(env, shadow);
  if (head === null) return;
  const silent = { file: shadow, head };
  const its = await services.runtime.of(head);
  const shown = seen.get(its) ?? (await later.get(its)?.());
  // Numbers in the picture's place are of one space, a picture may be too much work for two, and the file may not have been here.
  if (shown === undefined) return;
  // Where codes came in a picture's place there is nothing that a tail could read.
  if (head.tail !== undefined && shown.pixels.length === 0) return;
  // A tail from a place that the answering head didn't ask for takes another pass over the trunk, behind the answer.
  const isMapped = head.tail === undefined || head.tail.from === WHOLE || shown.maps.has(head.tail.from);
  const seenBySilent = new Map([
    [its, isMapped ? shown : await readPixels(its, shown.pixels, [silent], work.silent)],
  ]);
  const code = await codeFor(services, silent, seenBySilent);
  const { probabilities } = score(head, code);
  const label = head.labels[probabilities.indexOf(Math.max(...probabilities))];
  services.metering.countShadow(
    env,
    tenant,
    shadow.head,
    shadow.version,
    label !== answer.predictions[0].label,
  );
}

function capture(env: Env, answered: Answered): string | undefined {
  const { tenant, loaded, picture, answer } = answered;
  if (picture === undefined) return undefined;
  const [first, second] = answer.predictions;
  const lead = first.score - (second?.score ?? 0);
  if (lead >= UNCERTAIN_LEAD && !answer.unknown.is_unknown) return undefined;
  const id = newKeyId();
  const code = new Uint8Array(Float16Array.from(answered.code).buffer);
  const kept = {
    id,
    version: loaded.file.version,
    picture,
    code,
    space: spaceOf(loaded.head),
    predictions: answer.predictions.slice(0, CAPTURED_LABELS),
    unknown: answer.unknown,
    // A small lead says that the label decides between classes; a stranger may be a class of its own.
    worth: 1 - lead + (answer.unknown.is_unknown ? 1 : 0),
  };
  waitUntil(
    quietly(
      'capture',
      callTenant(env, tenant, (stub) => stub.capture(loaded.file.head, kept)),
    ),
  );
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
