/**
 * Refused uploads whose client is still writing: its answer must arrive, whatever refuses and whatever the client. All
 * clients here write the whole body before they read, as most do.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLocalWorker } from '../../../scripts/local-worker.ts';
import { ADMIN_SECRET, TestHost } from '../protocols/test-host.ts';
import { skipped } from '../skipped.ts';

const run = promisify(execFile);
const BODY = new Uint8Array(5_000_000);
const FETCHES = 4;
const OTHERS = 2;

/** What is sent, and the status that it is answered with. */
interface Refusal {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly key: 'none' | 'admin' | 'read';
  readonly status: number;
}

const refusal = (
  status: number,
  what: string,
  method: string,
  path: string,
  key: Refusal['key'] = 'admin',
  type = 'image/jpeg',
): Refusal => ({ what, method, path, type, key, status });

const REFUSALS: readonly Refusal[] = [
  refusal(401, 'without a key', 'POST', '/v1/heads/pets/classify', 'none'),
  refusal(401, 'without the admin secret', 'POST', '/v1/tenants', 'none'),
  refusal(403, 'with a key that may not', 'PUT', '/v1/heads/pets', 'read'),
  refusal(404, 'to no route', 'POST', '/v1/nothing'),
  refusal(404, 'to no head', 'POST', '/v1/heads/none/classify'),
  refusal(405, 'to a route of other methods', 'PUT', '/v1/embed'),
  refusal(400, 'with a parameter that is not known', 'POST', '/v1/heads/pets/train?a=1'),
  refusal(413, 'larger than the call takes', 'POST', '/v1/keys', 'admin', 'application/json'),
  refusal(415, 'of a type that is not read', 'POST', '/v1/embed', 'admin', 'text/plain'),
  refusal(415, 'which is no picture', 'POST', '/v1/embed'),
  refusal(422, 'which is no head file', 'PUT', '/v1/heads/pets', 'admin', 'application/octet-stream'),
  refusal(409, 'to restore what is there', 'POST', '/v1/restore', 'admin', 'application/x-ndjson'),
  refusal(401, 'to Hugging Face', 'POST', '/hf-inference/models/pets', 'none'),
  refusal(404, 'to Hugging Face, no head', 'POST', '/hf-inference/models/none'),
  refusal(401, 'to Workers AI', 'POST', '/client/v4/accounts/a/ai/run/pets', 'none'),
  refusal(413, 'to Open Inference', 'POST', '/v2/models/pets/infer'),
  refusal(401, 'to Custom Vision', 'POST', '/customvision/v3.3/Training/projects', 'none'),
  refusal(404, 'to a protocol, no route', 'POST', '/v2/nothing'),
  refusal(404, 'where none is read', 'DELETE', '/v1/heads/none'),
  refusal(404, 'to the console', 'POST', '/', 'none'),
  refusal(404, 'to a page', 'POST', '/docs', 'none'),
  refusal(200, 'that nobody expects', 'GET', '/healthz', 'none'),
];

/** Those that fetch can send. */
const FORMS = REFUSALS.filter(({ method }) => method !== 'GET');

/** Sends each request of a list so many times; answers with statuses, or with what broke. */
const URLLIB = `
import json, sys, urllib.error, urllib.request
body = bytes(${BODY.byteLength})
answers = []
for url, method, headers in json.load(open(sys.argv[1])):
    for _ in range(${OTHERS}):
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        try:
            answers.append(urllib.request.urlopen(request).status)
        except urllib.error.HTTPError as error:
            error.read()
            answers.append(error.code)
        except Exception as error:
            answers.append(repr(error))
print(json.dumps(answers))
`;

const withoutPython =
  spawnSync('python3', ['--version']).status !== 0 && skipped('urllib, since there is no python3 here.');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'refused-'));
  writeFileSync(join(folder, 'body'), BODY);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('an error that comes before the body was read', () => {
  let host: TestHost;
  let keys: Record<Refusal['key'], string>;
  beforeAll(async () => {
    host = new TestHost(await startLocalWorker({ port: 0, adminSecret: ADMIN_SECRET }));
    const admin = await host.newTenant();
    await host.putHead(admin, 'pets', ['cat', 'dog']);
    keys = { none: '', admin, read: await host.newKey(admin, ['read']) };
  });
  afterAll(() => host.close());

  const headersOf = ({ key, type }: Refusal): Record<string, string> => ({
    'content-type': type,
    ...(key === 'none' ? {} : { authorization: `Bearer ${keys[key]}` }),
  });

  it.each(FORMS)('fetch hears the answer to a form $what', async (refused) => {
    const { authorization } = headersOf(refused);
    const headers = authorization === undefined ? {} : { authorization };
    const statuses: number[] = [];
    for (let i = 0; i < FETCHES; i++) {
      const body = new FormData();
      body.append('image', new Blob([BODY]), 'a.jpg');
      const response = await fetch(host.address(refused.path), { method: refused.method, headers, body });
      await response.arrayBuffer();
      statuses.push(response.status);
    }
    // Some calls refuse a form before anything else.
    expect([refused.status, 415]).toContain(statuses[0]);
    expect(new Set(statuses).size).toBe(1);
  });

  it('curl hears them all', async () => {
    for (const refused of REFUSALS) {
      const headers = Object.entries(headersOf(refused)).flatMap((header) => ['-H', header.join(': ')]);
      const data = ['--data-binary', `@${join(folder, 'body')}`];
      const shown = ['-s', '-S', '-o', join(folder, 'answer'), '-w', '%{http_code} '];
      for (let i = 0; i < OTHERS; i++) {
        const args = [...shown, '-X', refused.method, ...headers, ...data, host.address(refused.path)];
        const { stdout } = await run('curl', args);
        expect({ ...refused, heard: Number(stdout) }).toEqual({ ...refused, heard: refused.status });
      }
    }
  });

  it.skipIf(withoutPython)('urllib hears them all', async () => {
    const requests = REFUSALS.map((refused) => [
      host.address(refused.path),
      refused.method,
      headersOf(refused),
    ]);
    const list = join(folder, 'requests.json');
    writeFileSync(list, JSON.stringify(requests));
    const { stdout } = await run('python3', ['-c', URLLIB, list]);
    const wanted = REFUSALS.flatMap(({ status }) => Array.from({ length: OTHERS }, () => status));
    expect(JSON.parse(stdout)).toEqual(wanted);
  });
});
