/**
 * Clients that wait for leave before they send (`Expect: 100-continue`): they wait for the interim answer, which comes when the body is
 * read, or for the final one. Whatever the answer is, it must arrive, and in time.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestHost, picture } from '../protocols/test-host.ts';
import { skipped } from '../skipped.ts';

const run = promisify(execFile);
const withoutCurl =
  spawnSync('curl', ['--version']).status !== 0 && skipped('curl, since there is none here.');

/** A picture with so much behind its end that curl waits for leave first. */
const photo = new Uint8Array(2_000_000);
photo.set(picture());

interface TestRequest {
  readonly what: string;
  readonly path: string;
  readonly method?: string;
  readonly type?: string;
  readonly hasKey?: boolean;
  readonly body?: Uint8Array;
  readonly status: number;
}

const REQUESTS: readonly TestRequest[] = [
  { what: 'a photo', path: '/v1/heads/pets/classify', status: 200 },
  { what: 'a small one', path: '/v1/heads/pets/classify', body: picture(), status: 200 },
  { what: 'without a key', path: '/v1/heads/pets/classify', hasKey: false, status: 401 },
  { what: 'to no route', path: '/v1/nothing', status: 404 },
  { what: 'to no head', path: '/v1/heads/none/classify', status: 404 },
  { what: 'to a route of other methods', path: '/v1/embed', method: 'PUT', status: 405 },
  { what: 'too large for the call', path: '/v1/keys', type: 'application/json', status: 413 },
  { what: 'of a type that is not read', path: '/v1/embed', type: 'text/plain', status: 415 },
  { what: 'to the console', path: '/', hasKey: false, status: 404 },
];
/** Declared only: more than is read and dropped. */
const HUGE_BYTES = 200_000_000;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'expect-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a request with Expect: 100-continue', () => {
  let host: TestHost;
  let key: string;
  beforeAll(async () => {
    host = await TestHost.open();
    key = await host.newTenant();
    await host.putHead(key, 'pets', ['cat', 'dog']);
  });
  afterAll(() => host.close());

  const headersOf = ({ type = 'image/jpeg', hasKey = true }: TestRequest): string[] => [
    `content-type: ${type}`,
    'expect: 100-continue',
    ...(hasKey ? [`authorization: Bearer ${key}`] : []),
  ];

  /** Sends the headers, and the body once an interim answer came. @returns the status lines of all answers. */
  function statusesOf(request: TestRequest, length: number): Promise<string[]> {
    const socket = connect(Number(host.url.port), host.url.hostname);
    const { method = 'POST', path, body = photo } = request;
    const headers = ['host: headwater', `content-length: ${length}`, ...headersOf(request)].join('\r\n');
    socket.write(`${method} ${path} HTTP/1.1\r\n${headers}\r\n\r\n`);
    return new Promise((resolve, reject) => {
      let text = '';
      let isSent = false;
      socket.on('error', reject);
      socket.on('data', (data) => {
        text += data.toString('latin1');
        const statuses = text.match(/^HTTP\/1\.1 \d+/gm) ?? [];
        if (!isSent && statuses[0] === 'HTTP/1.1 100') {
          isSent = true;
          socket.write(body);
        }
        if (statuses.at(-1) === 'HTTP/1.1 100') return;
        socket.destroy();
        resolve(statuses.map((status) => status.slice(-3)));
      });
    });
  }

  it.each(REQUESTS)('a client that waits hears the answer to a body: $what', async (request) => {
    const statuses = await statusesOf(request, (request.body ?? photo).byteLength);
    expect(statuses.at(-1)).toBe(String(request.status));
    if (request.status === 200) expect(statuses).toEqual(['100', '200']);
  });

  it('what is declared to be far too large is refused before it is sent', async () => {
    const request = { what: 'huge', path: '/v1/heads/pets/classify', status: 413 };
    expect(await statusesOf(request, HUGE_BYTES)).toEqual(['413']);
  });

  it.skipIf(withoutCurl)('curl hears them all', async () => {
    const file = join(folder, 'body');
    for (const request of REQUESTS) {
      writeFileSync(file, request.body ?? photo);
      const shown = ['-s', '-S', '-o', join(folder, 'answer'), '-w', '%{http_code}'];
      // Longer than curl waits by itself: what it doesn't hear of, it would not send.
      const waiting = ['--expect100-timeout', '60', '--data-binary', `@${file}`];
      const headers = headersOf(request).flatMap((header) => ['-H', header]);
      const { method = 'POST', path } = request;
      const { stdout } = await run('curl', [
        ...shown,
        ...waiting,
        ...headers,
        '-X',
        method,
        host.address(path),
      ]);
      expect({ ...request, heard: Number(stdout) }).toEqual({ ...request, heard: request.status });
    }
  });
});
