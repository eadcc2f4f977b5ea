/** The answer to classify-batch, line by line as it arrives. */
import type { BatchLine } from '../src/api/index.ts';
import { headPath, routed } from './calls.ts';
import { ApiError } from './errors.ts';
import { linesOf } from './lines.ts';
import type { BatchOptions } from './options.ts';
import * as is from './shapes.ts';
import type { Call } from './transport.ts';

/** @throws ApiError when it breaks off before its summary; the signal's reason after an abort. */
export async function* batchLines(
  response: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<BatchLine, void, undefined> {
  let cause: unknown;
  try {
    for await (const line of linesOf(response)) {
      if (!is.batchLine(line)) break;
      yield line;
      if ('pictures' in line) return;
    }
  } catch (error) {
    signal?.throwIfAborted();
    cause = error;
  }
  const message = 'The answer broke off before its end. Ask again, with fewer pictures at once.';
  throw new ApiError(message, { status: response.status, code: 'answer_not_understood' }, { cause });
}

/** @param pictures files with names, or a ZIP of them. */
export function batchCall(
  head: string,
  pictures: readonly File[] | Blob,
  { topK, version, routingKey }: BatchOptions,
): Call {
  const zipped = pictures instanceof Blob;
  return {
    method: 'POST',
    path: headPath(head, 'classify-batch'),
    query: { top_k: topK, version },
    headers: { ...(zipped ? { 'content-type': 'application/zip' } : {}), ...routed(routingKey) },
    body: zipped ? pictures : batchForm(pictures),
    repeatable: true,
    streamed: true,
  };
}

function batchForm(pictures: readonly File[]): FormData {
  const form = new FormData();
  for (const picture of pictures) form.append('image', picture, picture.name);
  return form;
}
