/** The answer to classify-batch, line by line as it arrives. */
import type { BatchLine } from '../src/api/index.ts';
import { ApiError } from './errors.ts';
import { linesOf } from './lines.ts';
import { isBatchLine } from './shapes.ts';

/** @throws ApiError when it breaks off before its summary. */
export async function* batchLines(response: Response): AsyncGenerator<BatchLine, void, undefined> {
  for await (const line of linesOf(response)) {
    if (!isBatchLine(line)) break;
    yield line;
    if ('pictures' in line) return;
  }
  const message = 'The answer broke off before its end. Ask again, with fewer pictures at once.';
  throw new ApiError(message, { status: response.status, code: 'answer_not_understood' });
}

/** @param pictures files with names. */
export function batchForm(pictures: readonly File[]): FormData {
  const form = new FormData();
  for (const picture of pictures) form.append('image', picture, picture.name);
  return form;
}
