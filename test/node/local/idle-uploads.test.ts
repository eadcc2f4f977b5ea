/**
 * Uploads that don't come: their clients declare megabytes, send some of them or none, and keep the connection. Others are
 * answered all the same, and the idle ones are told why they are given up. The uploads are of many sizes, so that memory lent for
 * what they declare would be full to the last 500 kB, whatever there is of it.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { TestHost, picture } from '../protocols/test-host.ts';

const MIB = 1 << 20;
const UPLOADS = 20;
/** Each is half as large as the one before, down to a hundred kilobytes; then again. */
const SIZES = 8;
const CLASSIFIED = 3;
const SETTLING_MS = 1_500;

let host: TestHost;
let attackers: string[];
let key: string;
beforeAll(async () => {
  host = await TestHost.open();
  attackers = await Promise.all(Array.from({ length: 4 }, () => host.newTenant()));
  key = await host.newTenant();
  for (const each of [key, ...attackers]) await host.putHead(each, 'pets', ['cat', 'dog']);
});
afterAll(() => host.close());

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

interface Upload {
  readonly path: string;
  readonly method?: string;
  readonly type: string;
  /** Bytes that are declared; undefined sends in chunks, without an end. */
  readonly declared: number | undefined;
  readonly sent: number;
  /** Whether all are of this size. */
  readonly alike?: boolean;
}

/** Begins an upload and leaves it. @returns what is answered once it is. */
function begin(bearer: string, { path, method = 'POST', type, declared, sent }: Upload): Promise<string> {
  const socket = connect(Number(host.url.port), host.url.hostname);
  sockets.push(socket);
  const length = declared === undefined ? 'transfer-encoding: chunked' : `content-length: ${declared}`;
  const authorization = bearer === '' ? '' : `authorization: Bearer ${bearer}\r\n`;
  socket.write(
    `${method} ${path} HTTP/1.1\r\nhost: headwater\r\n${authorization}content-type: ${type}\r\n${length}\r\n\r\n`,
  );
  if (sent > 0 && declared === undefined) socket.write(`${sent.toString(16)}\r\n`);
  if (sent > 0) socket.write(new Uint8Array(sent));
  return new Promise((resolve) => {
    let answer = '';
    socket.on('data', (data) => (answer += data.toString()));
    socket.on('error', () => resolve(answer));
    socket.on('close', () => resolve(answer));
  });
}

const FORM = 'multipart/form-data; boundary=x';
const HEAD = { path: '/v1/heads/pets', method: 'PUT', type: 'application/octet-stream' };
/** What others send meanwhile: an ordinary photo's size, most of it behind the picture's end. */
const ORDINARY = new Uint8Array(900_000);
ORDINARY.set(picture());
const PHOTO = { path: '/v1/heads/pets/classify', type: 'image/jpeg' };

/** A smaller one. Those in chunks declare nothing where they are whole, and else what they may have at most. */
function scaled({ declared, sent, ...upload }: Upload, by: number): Upload {
  if (by === 1) return { ...upload, declared, sent };
  const size = declared ?? 24 * MIB;
  const missing = size - sent;
  const length = Math.floor(size * by);
  return { ...upload, declared: length, sent: missing === 1 ? length - 1 : Math.floor(sent * by) };
}

/** Status of each of some requests of a tenant that works meanwhile. */
async function classify(): Promise<number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < CLASSIFIED; i++) {
    const response = await host.request(key, '/v1/heads/pets/classify', {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: ORDINARY,
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}

it.each<[string, Upload]>([
  ['heads of which nothing comes', { ...HEAD, declared: 12 * MIB, sent: 0 }],
  ['heads of which half comes', { ...HEAD, declared: 12 * MIB, sent: 6 * MIB }],
  ['heads that lack a byte', { ...HEAD, declared: 12 * MIB, sent: 12 * MIB - 1 }],
  ['photos of which a byte comes', { ...PHOTO, declared: 19 * MIB, sent: 1 }],
  ['photos that lack a byte', { ...PHOTO, declared: 7 * MIB, sent: 7 * MIB - 1 }],
  [
    'small photos that lack a byte',
    { ...PHOTO, declared: 2 * MIB - 1_000, sent: 2 * MIB - 1_001, alike: true },
  ],
  ['forms in chunks, without an end', { path: '/v1/embed', type: FORM, declared: undefined, sent: 2 * MIB }],
  ['pictures in JSON', { path: '/v1/embed', type: 'application/json', declared: 8 * MIB, sent: 4 * MIB }],
  ['batches', { path: '/v1/heads/pets/classify-batch', type: FORM, declared: 24 * MIB, sent: 8 * MIB }],
  ['batches', { path: '/v1/heads/pets/teach', type: FORM, declared: 24 * MIB, sent: 8 * MIB }],
  ['tensors', { path: '/v2/models/pets/infer', type: 'application/json', declared: 4 * MIB, sent: 3 * MIB }],
])('twenty idle uploads of %s let others work', async (_, upload) => {
  const begun = Array.from({ length: UPLOADS }, (_, i) =>
    begin(attackers[i % attackers.length], scaled(upload, upload.alike === true ? 1 : 2 ** -(i % SIZES))),
  );
  expect(begun).toHaveLength(UPLOADS);
  // Until they hold what they get: others that come before them are no test.
  await wait(SETTLING_MS);
  expect(await classify()).toEqual(Array.from({ length: CLASSIFIED }, () => 200));
});

it('are told of the pace', async () => {
  const answer = await begin(attackers[0], { ...HEAD, declared: 12 * MIB, sent: 100 });
  expect(answer).toMatch(/"code":"body_timeout"/);
  expect(answer).toMatch(/The head file came too slowly: for [15] s, fewer than 8192 bytes a second/);
});

it('without a key they are told that in the end, and hold nothing', async () => {
  const answers = Array.from({ length: UPLOADS }, () =>
    begin('', { ...PHOTO, declared: 19 * MIB, sent: MIB }),
  );
  expect(await classify()).toEqual(Array.from({ length: CLASSIFIED }, () => 200));
  for (const answer of await Promise.all(answers)) expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

it('two large uploads of a tenant, of which each leaves the other no room, are both answered', async () => {
  const body = new FormData();
  body.append('image', new Blob([new Uint8Array(23 * MIB)]));
  const send = () => host.request(key, '/v1/embed', { method: 'POST', body });
  const statuses = (await Promise.all([send(), send()])).map(({ status }) => status);
  expect(statuses).toEqual([413, 413]);
});
