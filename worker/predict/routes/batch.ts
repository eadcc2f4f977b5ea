/** POST /v1/heads/{head}/classify-batch: many pictures, or a ZIP of them, answered line by line while they are worked on. */
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
import { DECODER_BYTES, MAX_MULTIPART_BYTES } from '../../limits.ts';
import type { Part } from '../../http/multipart.ts';
import { requestIdOf } from '../../http/observe.ts';
import { borrow, borrowForm } from '../../http/pictures.ts';
import { ApiError, problemOfError } from '../../http/problem.ts';
import type { RequestWork } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { readZip, unpack, type ZipEntry } from '../../http/zip.ts';
import { batchBody, HeadPath, RoutingHeaders, operations } from '../../http/openapi.ts';

/** A ZIP; beside it the largest file that comes out of it, and its decoder. */
const ARCHIVE = { maxBytes: MAX_MULTIPART_BYTES, factor: 1, beside: MAX_FILE_BYTES + 1 + DECODER_BYTES };

/** A picture whose bytes come when its turn comes, and are there until `use` is done. */
interface Waiting {
  readonly name: string;
  readonly with: <T>(use: (bytes: Uint8Array) => Promise<T>) => Promise<T>;
}

const LINES: { description: string; content: Record<string, { schema: { $ref: string } }> } = {
  description: 'A line for each image, in their order. The last line is a summary.',
  content: { 'application/x-ndjson': { schema: { $ref: '#/components/schemas/BatchLine' } } },
};

export function addBatchRoute(app: App, services: Services): void {
  const { post } = operations(app);
  const { keys, loader } = services;
  post('/v1/heads/{head}/classify-batch', {
    summary: `Classify up to ${MAX_BATCH_PICTURES} images, answered line by line`,
    middleware: requireScope(keys, 'read', 'classify-batch'),
    request: { params: HeadPath, query: BatchQuery, headers: RoutingHeaders, body: batchBody },
    responses: { 200: LINES },
  })(async (c) => {
    const { head: name } = c.req.valid('param');
    const { top_k: topK, version } = c.req.valid('query');
    const caller = callerOf(c);
    const head = await loader.find(c.env, caller.tenant, name, version);
    const request = c.req.raw;
    return respondEarly((respond) =>
      withBatch(request, caller.work, async (pictures) => {
        if (pictures.length === 0) throw new ApiError('invalid_request', 'There is no picture in the body.');
        if (pictures.length > MAX_BATCH_PICTURES) {
          throw new ApiError(
            'invalid_request',
            `There are ${pictures.length} pictures in the body; send up to ${MAX_BATCH_PICTURES} at once.`,
          );
        }
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

function whole({ filename, bytes }: Part): Waiting {
  return { name: filename ?? '', with: (look) => look(bytes) };
}

/** Takes a body apart, and keeps its memory on loan until `use` is done. @throws ApiError body_…, invalid_request, unsupported_media_type */
function withBatch(
  request: Request,
  work: RequestWork,
  use: (pictures: readonly Waiting[]) => Promise<void>,
): Promise<void> {
  const type = mediaType(request);
  if (type === 'multipart/form-data') {
    return borrowForm(request, work.memory, MAX_BATCH_PICTURES, async (parts) => use(parts.map(whole)));
  }
  if (type === 'application/zip' || type === 'application/x-zip-compressed') {
    const unpacked = (entry: ZipEntry): Waiting => ({
      name: entry.name,
      with: (look) => unpackWithin(work, entry, look),
    });
    const take = async (body: Uint8Array) => use(readZip(body).map(unpacked));
    return borrow(request, work.memory, ARCHIVE, take);
  }
  throw new ApiError(
    'unsupported_media_type',
    `A batch comes as multipart/form-data or application/zip, not as '${type.slice(0, 80)}'.`,
  );
}

/** What comes out is charged as well, since a kilobyte can become a megabyte. @throws ApiError too_much_work, overloaded, as unpack */
function unpackWithin<T>(
  work: RequestWork,
  entry: ZipEntry,
  use: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const most = Math.min(MAX_FILE_BYTES, work.inflatableBytes);
  return work.memory.with(0, async (grow) => {
    const charge = (bytes: number): void => work.inflated(bytes, `Unpacking '${entry.name.slice(0, 80)}'`);
    return use(await unpack(entry, most, grow, charge));
  });
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
  picture: Waiting,
  index: number,
  topK: number,
  requestId: string,
): Promise<BatchResult | BatchProblem> {
  const { name } = picture;
  try {
    const prediction = await picture.with((bytes) => predict(services, caller, head, bytes));
    const { id, version, predictions, unknown } = answerOf(prediction, topK);
    const { image } = prediction;
    const canary = version === head.file.version ? undefined : version;
    return { index, name, id, version: canary, predictions, unknown, image };
  } catch (error) {
    return { index, name, problem: problemOfError(error, requestId) };
  }
}
