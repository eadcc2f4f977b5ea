/** A page of a rebase: kept pictures of examples are read from R2 and shown to the backbone of the head's new code space. */
import { HeadwaterError } from '../../src/errors.ts';
import { sha256Hex } from '../access/api-key.ts';
import type { Env } from '../env.ts';
import { borrow, PICTURE_FILE } from '../http/pictures.ts';
import { ApiError } from '../http/problem.ts';
import type { RequestWork } from '../isolate/request-work.ts';
import type { Services } from '../isolate/services.ts';
import { fromR2 } from '../stores/reads.ts';
import type { WantedPicture } from '../tenant/rebase/rebase.ts';
import type { MadeCode } from '../tenant/rebase/second-codes.ts';
import { codesIn, type CodeSpace } from './code-space.ts';

type Reader = Pick<Services, 'runtime' | 'tails'> & {
  readonly env: Pick<Env, 'HEADS'>;
  readonly space: CodeSpace;
  readonly work: RequestWork;
};

/** What is read damaged is read once more. */
const ATTEMPTS = 2;

/**
 * One picture at a time, so that a page takes the memory of one. It ends early where the request's work is spent; what is
 * left comes with the next page.
 * @returns a code in half precision of each picture read, or why its picture gives none.
 * @throws ApiError store_failed, overloaded
 */
export async function codesOfPage(reader: Reader, pictures: readonly WantedPicture[]): Promise<MadeCode[]> {
  const made: MadeCode[] = [];
  for (const picture of pictures) {
    const code = await codeOf(reader, picture);
    // A picture that is too much for a request of its own is never read.
    if (code === 'too much' && made.length > 0) break;
    made.push(
      code === 'too much' ? { example: picture.example, fault: 'It takes too much work to decode.' } : code,
    );
  }
  return made;
}

async function codeOf(reader: Reader, wanted: WantedPicture): Promise<MadeCode | 'too much'> {
  const { example } = wanted;
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const object = await fromR2(() => reader.env.HEADS.get(wanted.objectName));
    if (object === null) return { example, fault: 'It is missing in the object store.' };
    const headers = { 'content-length': `${object.size}` };
    const response = new Response(object.body, { headers });
    const made = await borrow(response, reader.work.memory, PICTURE_FILE, (bytes) =>
      read(reader, wanted, bytes),
    );
    if (made !== 'damaged') return made;
  }
  return { example, fault: 'It is damaged in the object store: its hash is another one.' };
}

async function read(
  { space, work, ...services }: Reader,
  { example, picture }: WantedPicture,
  bytes: Uint8Array,
): Promise<MadeCode | 'too much' | 'damaged'> {
  if ((await sha256Hex(bytes)) !== picture) return 'damaged';
  try {
    const { code } = await codesIn(services, { space }, bytes, work);
    const halves = Float16Array.from(code);
    return { example, code: new Uint8Array(halves.buffer) };
  } catch (error) {
    if (error instanceof ApiError && error.code === 'too_much_work') return 'too much';
    if (error instanceof HeadwaterError) return { example, fault: error.message };
    throw error;
  }
}
