/** POST /v1/heads/{head}/classify-batch: many pictures, or a ZIP of them, answered line by line while they are worked on. */
import { createRoute } from '@hono/zod-openapi';
import {
  BatchQuery,
  MAX_BATCH_PICTURES,
  type BatchLine,
  type BatchProblem,
  type BatchResult,
} from '../../../src/api/index.ts';
import { MAX_FILE_BYTES } from '../../../src/image/limits.ts';
import type { App } from '../../env.ts';
import { answerOf, callerOf, predict, type Caller } from '../predict.ts';
import { requireScope } from '../../access/auth.ts';
import { mediaType } from '../../http/body.ts';
import type { LoadedHead } from '../../stores/head-loader.ts';
import { MAX_MULTIPART_BYTES } from '../../limits.ts';
import { parseMultipart } from '../../http/multipart.ts';
import { requestIdOf } from '../../http/observe.ts';
import { borrow } from '../../http/pictures.ts';
import { ApiError, problemOfError } from '../../http/problem.ts';
import type { RequestWork } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { readZip, unpack, type ZipEntry } from '../../http/zip.ts';
import { batchBody, HeadPath, RoutingHeaders } from '../../http/openapi.ts';

/** A picture whose bytes come when its turn comes. */
interface Waiting {
  readonly name: string;
  readonly bytes: () => Promise<Uint8Array>;
}

const LINES: { description: string; content: Record<string, { schema: { $ref: string } }> } = {
  description: 'A line for each image, in their order. The last line is a summary.',
  content: { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/BatchLine' } } },
};

export function addBatchRoute(app: App, services: Services): void {
  const { keys, loader, memory } = services;
  const route = createRoute({
    method: 'post',
    path: '/v1/heads/{head}/classify-batch',
    summary: `Classify up to ${MAX_BATCH_PICTURES} images, answered line by line`,
    middleware: requireScope(keys, 'read', 'classify-batch'),
    request: { params: HeadPath, query: BatchQuery, headers: RoutingHeaders, body: batchBody },
    responses: { 200: LINES },
  });
  app.openapi(route, async (c) => {
    const { head: name } = c.req.valid('param');
    const { top_k: topK, version } = c.req.valid('query');
    const caller = callerOf(c);
    const head = await loader.find(c.env, caller.tenant, name, version);
    const request = c.req.raw;
    return respondEarly((respond) =>
      borrow(request, memory.of(caller.tenant), MAX_MULTIPART_BYTES, 1, async (body) => {
        const pictures = picturesOf(body, request, caller.work);
        const lines = new TransformStream<Uint8Array, Uint8Array>();
        respond(
          c.body(lines.readable, 200, {
            'content-type': 'application/x-ndjson',
            'cache-control': 'no-store',
          }),
        );
        await work(
          lines.writable,
          pictures,
          (picture, index) => lineOf(services, caller, head, picture, index, topK, requestIdOf(c)),
          head,
        );
      }),
    );
  });
}

/** Lets a task answer before it is done: what fails earlier is an answer of its own, what fails later ends the stream. */
function respondEarly(task: (respond: (response: Response) => void) => Promise<void>): Promise<Response> {
  return new Promise((resolve, reject) => {
    task(resolve).catch(reject);
  });
}

/** @throws ApiError invalid_request, unsupported_media_type */
function picturesOf(body: Uint8Array, request: Request, work: RequestWork): Waiting[] {
  const type = mediaType(request);
  const pictures =
    type === 'multipart/form-data'
      ? fromForm(body, request.headers.get('content-type') ?? '')
      : type === 'application/zip' || type === 'application/x-zip-compressed'
        ? fromZip(body, work)
        : undefined;
  if (pictures === undefined) {
    throw new ApiError(
      'unsupported_media_type',
      `A batch comes as multipart/form-data or application/zip, not as '${type.slice(0, 80)}'.`,
    );
  }
  if (pictures.length === 0) throw new ApiError('invalid_request', 'There is no picture in the body.');
  if (pictures.length > MAX_BATCH_PICTURES) {
    throw new ApiError(
      'invalid_request',
      `There are ${pictures.length} pictures in the body; send up to ${MAX_BATCH_PICTURES} at once.`,
    );
  }
  return pictures;
}

function fromForm(body: Uint8Array, contentType: string): Waiting[] {
  return parseMultipart(body, contentType, MAX_BATCH_PICTURES).map(({ filename, bytes }) => ({
    name: filename ?? '',
    bytes: () => Promise.resolve(bytes),
  }));
}

function fromZip(body: Uint8Array, work: RequestWork): Waiting[] {
  return readZip(body).map((entry) => ({ name: entry.name, bytes: () => unpackWithin(work, entry) }));
}

/** What comes out is charged as well, since a kilobyte can become a megabyte. @throws ApiError too_much_work, as unpack */
function unpackWithin(work: RequestWork, entry: ZipEntry): Promise<Uint8Array> {
  const most = Math.min(MAX_FILE_BYTES, work.inflatableBytes);
  return unpack(entry, most, (bytes) => work.inflated(bytes, `Unpacking '${entry.name.slice(0, 80)}'`));
}

/** Classifies one after the other: a picture that can't be is a line like the others. */
async function work(
  writable: WritableStream<Uint8Array>,
  pictures: readonly Waiting[],
  answerTo: (picture: Waiting, index: number) => Promise<BatchResult | BatchProblem>,
  head: LoadedHead,
): Promise<void> {
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const write = (line: BatchLine): Promise<void> => writer.write(encoder.encode(`${JSON.stringify(line)}\n`));
  let failed = 0;
  try {
    for (const [index, picture] of pictures.entries()) {
      const line = await answerTo(picture, index);
      if ('problem' in line) failed++;
      await write(line);
    }
    const { head: name, version } = head.file;
    await write({ head: name, version, pictures: pictures.length, failed });
    await writer.close();
  } catch {
    // The reader has gone: there is nobody left to tell, and the rest of the work is not worth doing.
  }
}

async function lineOf(
  services: Services,
  caller: Caller,
  head: LoadedHead,
  { name, bytes }: Waiting,
  index: number,
  topK: number,
  requestId: string,
): Promise<BatchResult | BatchProblem> {
  try {
    const prediction = await predict(services, caller, head, await bytes());
    const { id, version, predictions, unknown } = answerOf(prediction, topK);
    const { image } = prediction;
    const canary = version === head.file.version ? {} : { version };
    return { index, name, ...(id === undefined ? {} : { id }), ...canary, predictions, unknown, image };
  } catch (error) {
    return { index, name, problem: problemOfError(error, requestId) };
  }
}
