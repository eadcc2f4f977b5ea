/** The client and the verbs that use it, against an HTTP server on this machine. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ApiError, HeadwaterClient } from '../../../sdk/client.ts';
import { headwater, png, temporaryFolder, writeColours, writeFiles } from './workspace.ts';

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Answer = { readonly status: number; readonly body: unknown; readonly headers?: Record<string, string> };

/** Serves what `answer` says and remembers what it was asked. */
async function serve(
  answer: (request: Request, count: number) => Answer,
): Promise<{ url: string; requests: Request[] }> {
  const requests: Request[] = [];
  const handle = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = incoming;
    incoming.setEncoding('latin1');
    const body = (await incoming.toArray()).join('');
    const request = { method, url, headers, body };
    requests.push(request);
    const { status, body: said, headers: extra = {} } = answer(request, requests.length);
    response.writeHead(status, { 'content-type': 'application/json', ...extra });
    response.end(typeof said === 'string' ? said : JSON.stringify(said));
  };
  const server = createServer((incoming, response) => void handle(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return { url: `http://127.0.0.1:${address.port}`, requests };
}

const STORED = { head: 'h', version: 3, created: true, sha256: 'x', classes: 2 };
const FILE = new Uint8Array([1, 2, 3]);

describe('client', () => {
  test('uploads a head with the key', async () => {
    const { url, requests } = await serve(() => ({ status: 201, body: STORED }));
    const client = new HeadwaterClient({ url: `${url}/base`, key: 'secret' });
    expect(await client.putHead('h', FILE)).toEqual(STORED);
    expect(requests[0]).toMatchObject({
      method: 'PUT',
      url: '/base/v1/heads/h',
      body: '\x01\x02\x03',
      headers: { authorization: 'Bearer secret' },
    });
  });

  test('tells what the Worker objects to, with code, status and request', async () => {
    const problem = { code: 'head_invalid', title: 'Bad', detail: 'The head is broken.', status: 422 };
    const { url, requests } = await serve(() => ({
      status: 422,
      body: problem,
      headers: { 'x-request-id': 'r1' },
    }));
    const failed = new HeadwaterClient({ url, key: 'k' }).putHead('h', FILE);
    await expect(failed).rejects.toThrow('The head is broken. (request r1)');
    await expect(failed).rejects.toMatchObject({ code: 'head_invalid', status: 422, requestId: 'r1' });
    expect(requests).toHaveLength(1);
  });

  test('tries again when the Worker is busy, as late as it asks', async () => {
    const { url, requests } = await serve((_, count) =>
      count < 3
        ? { status: count === 1 ? 429 : 503, body: {}, headers: { 'retry-after': '0.05' } }
        : { status: 200, body: STORED },
    );
    expect(await new HeadwaterClient({ url, key: 'k' }).putHead('h', FILE)).toEqual(STORED);
    expect(requests).toHaveLength(3);
  });

  test('knows a server that is no Headwater Worker', async () => {
    const { url } = await serve(({ url }) => ({
      status: url.includes('classify') ? 502 : 200,
      body: '<html>',
    }));
    const client = new HeadwaterClient({ url, key: 'k' });
    await expect(client.putHead('h', FILE)).rejects.toMatchObject({ code: 'answer_not_understood' });
    await expect(client.classify('h', { bytes: FILE, type: 'image/png' })).rejects.toMatchObject({
      code: 'http_502',
    });
  });

  test('nobody listens: an error that names the address', async () => {
    const client = new HeadwaterClient({ url: 'http://127.0.0.1:1', key: 'k' });
    const failed = client.putHead('h', FILE);
    await expect(failed).rejects.toThrow(/No answer from http:\/\/127.0.0.1:1/);
    await expect(failed).rejects.toBeInstanceOf(ApiError);
  });
});

describe('verbs', () => {
  test('push sends the file and prints the version; a refusal is exit code 1', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 2);
    await headwater(['train', 'd', '--out', 'h.safetensors', '--no-report'], { cwd });
    const { url, requests } = await serve((_, count) =>
      count === 1
        ? { status: 201, body: STORED }
        : { status: 403, body: { code: 'scope_missing', detail: 'The key may only read.' } },
    );
    const env = { HEADWATER_URL: url, HEADWATER_KEY: 'secret' };
    const pushed = await headwater(['push', 'h.safetensors', '--head', 'h', '--json'], { cwd, env });
    expect(JSON.parse(pushed.stdout)).toEqual(STORED);
    expect(requests[0]?.headers.authorization).toBe('Bearer secret');
    const refused = await headwater(['push', 'h.safetensors', '--head', 'h'], { cwd, env });
    expect(refused).toMatchObject({ code: 1, stdout: '', stderr: 'Error: The key may only read.\n' });
  });

  test('classify by name asks the Worker', async () => {
    const cwd = temporaryFolder();
    writeFiles(cwd, { '1.png': png(0, 1), 'broken.png': 'x' });
    const answer = {
      head: 'h',
      version: 2,
      predictions: [{ label: 'red', score: 0.9 }],
      unknown: { score: 1, is_unknown: false },
      image: { width: 32, height: 32, format: 'png' },
    };
    const { url, requests } = await serve(() => ({ status: 200, body: answer }));
    const args = [
      'classify',
      '1.png',
      'broken.png',
      '--head',
      'h',
      '--url',
      url,
      '--key',
      'k',
      '--top-k',
      '5',
      '--json',
    ];
    const { stdout, code } = await headwater(args, { cwd });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      results: [
        { picture: '1.png', version: 2, predictions: [{ label: 'red' }] },
        { error: { code: 'image_format_unknown' } },
      ],
    });
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      url: '/v1/heads/h/classify?top_k=5',
      headers: { 'content-type': 'image/png' },
    });
  });

  describe('rebase', () => {
    const figures = (accuracy: number) => ({ examples: 40, accuracy, log_loss: 0.25 });
    const judged = (version: number, accuracy: number) => ({ version, leave_one_out: figures(accuracy) });
    const at = (state: string, done: number, more: object = {}) => ({
      status: 200,
      body: { head: 'h', state, to: { name: 'later', version: '2' }, total: 40, done, ...more },
    });
    const DONE = at('done', 40, { before: judged(1, 0.8), after: judged(2, 0.875) });
    const remote = (url: string) => ['--url', url, '--key', 'k'];

    test('goes on from where it is until it is done, and prints both accuracies', async () => {
      const answers = [at('under_way', 8), at('under_way', 40), DONE];
      const { url, requests } = await serve((_, count) => answers[count - 1] ?? DONE);
      const { stdout, stderr, code } = await headwater(['rebase', 'h', ...remote(url)], {
        cwd: temporaryFolder(),
      });
      expect(code, stderr).toBe(0);
      expect(stdout).toContain('h was moved to the codes of later 2.');
      expect(stdout).toMatch(/before +1 +40 +80\.0 +0\.250\nafter +2 +40 +87\.5 +0\.250/);
      expect(stderr).toContain('8 of 40 pictures were read before.');
      expect(requests.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
        'GET /v1/heads/h/rebase',
        'POST /v1/heads/h/rebase',
        'POST /v1/heads/h/rebase',
      ]);
    });

    test('of a head that is there already only tells so', async () => {
      const { url, requests } = await serve(() => DONE);
      const { stdout } = await headwater(['rebase', 'h', '--json', ...remote(url)], {
        cwd: temporaryFolder(),
      });
      expect(JSON.parse(stdout)).toEqual(DONE.body);
      expect(requests).toHaveLength(1);
    });

    test('ends where somebody else gave the move up, and gives it up itself', async () => {
      const { url, requests } = await serve(() => at('not_begun', 0));
      const moved = await headwater(['rebase', 'h', ...remote(url)], { cwd: temporaryFolder() });
      expect(moved).toMatchObject({ code: 1, stderr: 'Error: Moving h was given up meanwhile.\n' });
      const given = await headwater(['rebase', 'h', '--give-up', ...remote(url)], { cwd: temporaryFolder() });
      expect(given.stdout).toBe('h stays as it was.\n');
      expect(requests.at(-1)?.method).toBe('DELETE');
    });

    test('says what stands in the way', async () => {
      const detail = "Head 'h' cannot be moved: 4 of its examples have no picture.";
      const { url } = await serve(({ method }) =>
        method === 'GET' ? at('not_begun', 0) : { status: 409, body: { code: 'conflict', detail } },
      );
      const moved = await headwater(['rebase', 'h', ...remote(url)], { cwd: temporaryFolder() });
      expect(moved).toMatchObject({ code: 1, stderr: `Error: ${detail}\n` });
    });
  });

  test('teach sends batches that only store, and trains with the last; broken pictures and copies stay here', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 7);
    writeFiles(join(cwd, 'd'), { 'red/broken.png': 'x', 'red/copy.png': png(0, 0) });
    const { url, requests } = await serve((_, count) => ({
      status: 200,
      body: { head: 'h', version: count },
    }));
    const { stdout, code, stderr } = await headwater(
      ['teach', 'd', '--head', 'h', '--url', url, '--key', 'k', '--json'],
      { cwd },
    );
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      sent: 21,
      requests: 2,
      skipped: { unusable: 1, duplicates: 1 },
      answer: { version: 2 },
    });
    expect(requests.map((request) => request.url)).toEqual([
      '/v1/heads/h/teach?train=false',
      '/v1/heads/h/teach',
    ]);
    const keys = requests.map((request) => request.headers['idempotency-key']);
    expect(new Set(keys).size).toBe(2);
    expect(requests.flatMap(({ body }) => body.match(/name="(red|green|blue)"/g) ?? [])).toHaveLength(21);
  });
});
