/**
 * Reads what is left of a request's body before its answer goes out. The host closes the connection after an answer to a
 * request that was not read to its end; a client that still writes then gets a broken connection instead of the answer.
 */
import { declaredLength, type Bodied } from './body.ts';
import { DRAIN_BUFFER_BYTES, DRAIN_TIMEOUT_MS, MAX_DRAINED_BYTES } from '../limits.ts';
import { Pace } from './pace.ts';
import { PieceReader } from './piece-reader.ts';

/**
 * The answer, once the rest of the body was read and dropped: within MAX_DRAINED_BYTES and DRAIN_TIMEOUT_MS, otherwise with
 * the body unread. It costs one small buffer and no memory on loan, whatever comes and whoever sends it.
 * @param answer once it is there, nobody else reads the body any more.
 */
export async function drained(request: Bodied, answer: Response | Promise<Response>): Promise<Response> {
  const response = await answer;
  const { body } = request;
  // Locked: it was read whole, or it came too slowly and the read is still waiting.
  if (body === null || body.locked || (declaredLength(request) ?? 0) > MAX_DRAINED_BYTES) return response;
  try {
    await dropRest(body);
  } catch {
    // The client has gone, or sends too slowly to be waited for.
  }
  return response;
}

/** @throws ApiError body_timeout, body_incomplete */
async function dropRest(body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = new PieceReader(body);
  await new Pace().keep({ what: 'The body', mostMs: DRAIN_TIMEOUT_MS }, async (arrival) => {
    let buffer = new Uint8Array(DRAIN_BUFFER_BYTES);
    for (let dropped = 0; dropped <= MAX_DRAINED_BYTES;) {
      const piece = await arrival(reader.read(buffer));
      if (piece.byteLength === 0) return;
      dropped += piece.byteLength;
      buffer = new Uint8Array(piece.buffer);
    }
  });
}
