/** The isolate's one account of memory, tested through requests: what is small passes, and what is lent once is not lent again. */
import { describe, expect, it } from 'vitest';
import { memory } from '../../worker/isolate/memory.ts';
import { DECODER_BYTES } from '../../worker/limits.ts';
import { Isolate, JPEG, makeHeadFile } from './support.ts';

const isolate = new Isolate();
const TRAINING = '/customvision/v3.3/training/projects';
const SEGMENT_BYTES = 60_000;
/** More than a small body has. */
const SEGMENTS = 40;

/** The same pixels in 2.4 MB: segments of an application that nobody knows stand behind the first marker. */
function largeJpeg(): Uint8Array<ArrayBuffer> {
  const segment = new Uint8Array(SEGMENT_BYTES);
  segment.set([0xff, 0xef, (SEGMENT_BYTES - 2) >> 8, (SEGMENT_BYTES - 2) & 255]);
  const bytes = new Uint8Array(JPEG.length + SEGMENTS * SEGMENT_BYTES);
  bytes.set(JPEG.subarray(0, 2));
  for (let i = 0; i < SEGMENTS; i++) bytes.set(segment, 2 + i * SEGMENT_BYTES);
  bytes.set(JPEG.subarray(2), 2 + SEGMENTS * SEGMENT_BYTES);
  return bytes;
}

/** A form of one picture, as bytes: they have a length that is known. */
async function formOf(picture: Uint8Array<ArrayBuffer>): Promise<{ body: Uint8Array; type: string }> {
  const data = new FormData();
  data.append('image', new Blob([picture]), 'large.jpg');
  const made = new Response(data);
  const body = new Uint8Array(await made.arrayBuffer());
  return { body, type: made.headers.get('content-type') ?? '' };
}

describe('beside the largest loan', () => {
  it('a small picture is answered at once', async () => {
    const { key } = await isolate.newTenant();
    await isolate.put(key, 'pets', await makeHeadFile());
    await memory.with(memory.largest, async () => {
      const held = memory.inUse;
      // A length that is not known may be that of the largest picture.
      const headers = { 'content-length': `${JPEG.length}` };
      const sent = { key, headers, type: 'image/jpeg', body: JPEG };
      expect((await isolate.call('/v1/heads/pets/classify', sent)).status).toBe(200);
      expect(memory.inUse).toBe(held);
    });
  });
});

describe("a Custom Vision call's picture", () => {
  it('is borrowed once, for all requests to our own API with it', async () => {
    const { key } = await isolate.newTenant();
    const headers = { 'training-key': key, 'prediction-key': key };
    const post = async (path: string, options: { body?: Uint8Array; type?: string } = {}) => {
      const response = await isolate.call(path, { method: 'POST', headers, ...options });
      return { status: response.status, answer: await response.json<{ id: string }>() };
    };
    const project = `${TRAINING}/${(await post(`${TRAINING}?name=pets`)).answer.id}`;
    const tag = (await post(`${project}/tags?name=cat`)).answer.id;
    const form = await formOf(largeJpeg());
    // What is left is enough for the form and a decoder, and would not be for the picture once more.
    const left = form.body.byteLength + DECODER_BYTES;
    await memory.with(memory.largest - left, async () => {
      const { status, answer } = await post(`${project}/images?tagIds=${tag}`, form);
      expect({ status, answer }).toMatchObject({
        status: 200,
        answer: { isBatchSuccessful: true, images: [{ status: 'OK' }] },
      });
    });
    expect(memory.inUse).toBe(0);
  });
});
