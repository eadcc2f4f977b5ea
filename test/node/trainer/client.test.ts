/** The client and the verbs that use it, against an HTTP server on this machine. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ApiError, HeadwaterClient } from '../../../sdk/client.ts';
import { serve } from './serve.ts';
import { headwater, png, temporaryFolder, writeColours, writeFiles } from './workspace.ts';

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
    const train = ['train', 'd', '--strategy', 'linear-all', '--out', 'h.safetensors', '--no-report'];
    await headwater(train, { cwd });
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

  test('classify by name sends the image to the Worker', async () => {
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
