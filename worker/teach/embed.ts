/**
 * From a teach request to examples: labelled CNN codes in half precision, made in the stateless Worker so that the
 * tenant's Durable Object gets nothing but numbers. One picture at a time, so that other requests get their turn.
 */
import type { ImageInfo } from '../../src/api/index.ts';
import { HeadwaterError } from '../../src/errors.ts';
import { sha256Hex } from '../access/api-key.ts';
import { mediaType } from '../http/body.ts';
import { fetchPicture } from '../http/fetch-picture.ts';
import { borrow, borrowForm, JSON_PICTURE, PICTURE_FILE } from '../http/pictures.ts';
import { ApiError } from '../http/problem.ts';
import { workOf, type RequestWork, type Working } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';
import type { NewExample } from '../tenant/teach/example.ts';
import { codesIn, type TaughtSpaces } from './code-space.ts';
import type { Keep, ShownPicture } from './keep-pictures.ts';
import { examplesOfForm, examplesOfJson, MAX_FORM_PARTS, type SentExample } from './batches.ts';

type Embedder = Pick<Services, 'runtime' | 'tails'> &
  TaughtSpaces & {
    readonly keep: Keep;
    readonly work: RequestWork;
  };

/**
 * @throws ApiError unsupported_media_type, body_…, invalid_request, backbone_mismatch, url_…, overloaded, too_much_work
 * @throws HeadwaterError image_… naming the picture
 */
export async function examplesOf(
  { runtime, tails }: Services,
  spaces: TaughtSpaces,
  c: Working,
  keep: Keep,
): Promise<NewExample[]> {
  const work = workOf(c);
  const embedder = { runtime, tails, ...spaces, keep, work };
  const request = c.req.raw;
  const type = mediaType(request);
  if (type === 'multipart/form-data') {
    return borrowForm(request, work.memory, MAX_FORM_PARTS, async (parts) =>
      present(embedder, examplesOfForm(parts)),
    );
  }
  if (type !== 'application/json') {
    throw new ApiError(
      'unsupported_media_type',
      `Examples come as multipart/form-data or application/json, not as '${type.slice(0, 80)}'.`,
    );
  }
  const made = await borrow(request, work.memory, JSON_PICTURE, async (body) => {
    const sent = examplesOfJson(body, spaces.space);
    const here = sent.filter(({ kind }) => kind !== 'url');
    return { examples: await present(embedder, here), urls: sent.filter(({ kind }) => kind === 'url') };
  });
  // After the body has given its memory back, so that no request waits for memory while it holds some.
  for (const item of made.urls) made.examples.push(...(await fetched(embedder, item)));
  return made.examples;
}

async function fetched(embedder: Embedder, item: SentExample): Promise<NewExample[]> {
  if (item.kind !== 'url') return [];
  const response = await fetchPicture(item.url);
  return borrow(response, embedder.work.memory, PICTURE_FILE, async (bytes) => {
    const [example] = await present(embedder, [{ ...item, kind: 'picture', bytes }]);
    return [{ ...example, source: 'url' as const }];
  });
}

async function present(embedder: Embedder, sent: readonly SentExample[]): Promise<NewExample[]> {
  const examples: NewExample[] = [];
  const shown: ShownPicture[] = [];
  for (const item of sent) {
    const { label } = item;
    if (item.kind === 'code') {
      const code = bytesOf(item.code);
      examples.push({ label, picture: item.picture ?? (await sha256Hex(code)), source: 'code', code });
    } else if (item.kind === 'picture') {
      const { image, ...codes } = await codesOf(embedder, item.bytes).catch((error: unknown) => {
        throw placed(error, item);
      });
      const picture = await sha256Hex(item.bytes);
      shown.push({ bytes: item.bytes, sha256: picture, format: image.format });
      examples.push({ label, picture, source: 'picture', ...codes });
    }
  }
  const kept = shown.length === 0 ? null : await embedder.keep(shown);
  if (kept === null) return examples;
  const byPicture = new Map(shown.map(({ sha256 }, i) => [sha256, kept[i]]));
  return examples.map((example) => {
    const its = byPicture.get(example.picture);
    return its === undefined || example.source !== 'picture' ? example : { ...example, kept: its };
  });
}

/** The code of a picture in the head's space; and in the one that it is being moved to, where it is. */
async function codesOf(
  { space, target, work, ...services }: Embedder,
  bytes: Uint8Array,
): Promise<Pick<NewExample, 'code' | 'second'> & { image: ImageInfo }> {
  const { code, second, image } = await codesIn(services, { space, target }, bytes, work);
  const found = { code: bytesOf(Float16Array.from(code)), image };
  return second === undefined ? found : { ...found, second: bytesOf(Float16Array.from(second)) };
}

/** Every platform of the Worker is little-endian. */
function bytesOf(code: Float16Array): Uint8Array {
  return new Uint8Array(code.buffer, code.byteOffset, code.byteLength);
}

/** Of many pictures, the one in question. */
function placed(error: unknown, { name, label }: SentExample): unknown {
  const where = `Picture '${name}' of class '${label}'`;
  if (error instanceof ApiError && error.code === 'too_much_work')
    return new ApiError(error.code, `${where}: ${error.message} Nothing of this request was stored.`);
  if (!(error instanceof HeadwaterError)) return error;
  return new HeadwaterError(error.code, `${where}: ${error.message} Nothing of this request was stored.`, {
    cause: error,
  });
}
