/** Custom Vision's calls with what they should not have: refused in its own words, and nothing is stored. */
import { beforeAll, describe, expect, it } from 'vitest';
import { MAX_LABEL_LENGTH } from '../../src/api/index.ts';
import { MAX_FILE_BYTES } from '../../src/image/limits.ts';
import { MAX_CUSTOM_VISION_JSON_BYTES, MAX_JSON_PARTS, MAX_MULTIPART_BYTES } from '../../worker/limits.ts';
import { MAX_IMAGES } from '../../worker/protocols/custom-vision/input.ts';
import { codes, teachRequest } from './teach-requests.ts';
import { Isolate, JPEG, slowBytes, testEnv, type CallOptions } from './support.ts';

const isolate = new Isolate();
const TRAINING = '/customvision/v3.3/training';
const PREDICTION = '/customvision/v3.0/Prediction';
const BAD_REQUEST = { status: 400, code: 'BadRequest' };
const NOT_FOUND = { status: 404, code: 'NotFound' };

let key = '';
/** Addresses of a project with two trained iterations, the first one published, and what is in it. */
let project = '';
let predict = '';
let tags: string[] = [];
let iterations: string[] = [];

beforeAll(async () => {
  key = (await isolate.newTenant()).key;
  const { id } = await (await call('POST', `${TRAINING}/projects?name=Rubbish`)).json<{ id: string }>();
  project = `${TRAINING}/projects/${id}`;
  predict = `${PREDICTION}/${id}/classify/iterations`;
  for (const name of ['a', 'b'])
    tags.push((await (await call('POST', `${project}/tags?name=${name}`)).json<{ id: string }>()).id);
  for (const examples of [[codes('a', 3), codes('b', 3)], [codes('a', 1, 9)]])
    await isolate.call('/v1/heads/rubbish/teach', { key, json: teachRequest(...examples) });
  const found = await (await call('GET', `${project}/iterations`)).json<{ id: string }[]>();
  iterations = found.map((each) => each.id);
  expect((await call('POST', `${project}/iterations/${iterations[1]}/publish?publishName=live`)).status).toBe(
    200,
  );
});

function call(method: string, path: string, options: CallOptions = {}, its = key): Promise<Response> {
  const headers = { 'training-key': its, 'prediction-key': its, ...options.headers };
  return isolate.call(path, { ...options, method, headers });
}

/** An error in Custom Vision's words. */
async function errorOf(response: Response): Promise<{ status: number; code: string }> {
  expect(response.headers.get('content-type')).toBe('application/json');
  const { code, message } = await response.json<{ code: string; message: string }>();
  expect(message).toMatch(/\S/);
  expect(message.length).toBeLessThan(300);
  return { status: response.status, code };
}

async function everything(): Promise<unknown[]> {
  const paths = ['', '/tags', '/iterations', '/images/tagged'].map((rest) => project + rest);
  return Promise.all(
    [`${TRAINING}/projects`, ...paths].map(async (path) => (await call('GET', path)).json()),
  );
}

/** A request in a line. */
const shown = (method: string, path: string, options: CallOptions = {}): string =>
  `${method} ${path} ${JSON.stringify(options.json ?? options.body ?? '')}`.slice(0, 80);

const encoded = encodeURIComponent;
const long = 'x'.repeat(5000);

describe('refused, and nothing is changed', () => {
  const requests: [string, string, (CallOptions | undefined)?, object?][] = [
    ['POST', '/projects'],
    ['POST', '/projects?name=%20'],
    ['POST', `/projects?name=${'x'.repeat(101)}`],
    ['POST', `/projects?name=${encoded('a\u0007b')}`],
    ['POST', `/projects?name=x&description=${long}`],
    ['POST', `/projects?name=x&domainId=${long}`],
    ['POST', '/projects?name=x&classificationType=Multilabel'],
    ['PATCH', '/PROJECT', { json: { name: '' } }],
    ['PATCH', '/PROJECT', { json: { name: 'a\u0007b' } }],
    ['PATCH', '/PROJECT', { json: { description: 7 } }],
    ['PATCH', '/PROJECT', { body: '{' }],
    ['PATCH', '/PROJECT', { body: '' }],
    ['PATCH', '/PROJECT', { body: Uint8Array.of(0x22, 0xff, 0x22) }],
    ['DELETE', '/PROJECT'],
    ['POST', '/PROJECT/tags'],
    ['POST', '/PROJECT/tags?name=a'],
    ['POST', '/PROJECT/tags?name=..'],
    ['POST', `/PROJECT/tags?name=${'x'.repeat(MAX_LABEL_LENGTH + 1)}`],
    ['POST', `/PROJECT/tags?name=${encoded('a\u0007b')}`],
    ['POST', '/PROJECT/tags?name=c&type=Odd'],
    ['PATCH', '/PROJECT/tags/TAG', { json: { name: 'b' } }],
    ['PATCH', '/PROJECT/tags/TAG', { json: { name: 'a\ud800' } }],
    ['PATCH', '/PROJECT/tags/TAG', { json: { type: 7 } }],
    ['GET', '/PROJECT/images?skip=x'],
    ['GET', '/PROJECT/images/tagged?skip=-1'],
    ['GET', '/PROJECT/images?take=1.5'],
    ['DELETE', `/PROJECT/images?imageIds=${Array(257).fill('a').join(',')}`],
    ['POST', '/PROJECT/images?tagIds=TAG', { body: '', type: 'application/octet-stream' }],
    ['POST', '/PROJECT/images?tagIds=TAG', { body: 'hello', type: 'multipart/form-data; boundary=x' }],
    ['POST', '/PROJECT/images?tagIds=TAG', { body: '--x--', type: 'multipart/form-data; boundary=x' }],
    ['POST', '/PROJECT/images/files', { body: '' }],
    ['POST', '/PROJECT/images/files', { json: [] }],
    ['POST', '/PROJECT/images/files', { json: { images: [] } }],
    [
      'POST',
      '/PROJECT/images/files',
      { json: { images: Array.from({ length: MAX_IMAGES + 1 }, () => ({ contents: '' })) } },
    ],
    ['POST', '/PROJECT/images/files', { json: { images: [{ contents: 7 }] } }],
    ['POST', '/PROJECT/images/files', { json: { images: [{ contents: '***' }] } }],
    ['POST', '/PROJECT/images/urls', { json: { images: [{ url: 7 }] } }],
    ['POST', '/PROJECT/images/predictions', { json: { images: [{}] } }],
    ['POST', '/PROJECT/predictions/query', { json: { maxCount: -1 } }],
    ['POST', '/PROJECT/predictions/query', { json: { iterationId: 7 } }],
    ['POST', '/PROJECT/quicktest/url', { json: { url: 'https://localhost/a.jpg' } }],
    ['POST', '/PROJECT/quicktest/url', { json: { uri: 'x' } }],
    ['POST', '/PROJECT/quicktest/image', { body: '' }],
    ['PATCH', '/PROJECT/iterations/ITERATION', { json: { name: 'a\u0007b' } }],
    ['POST', '/PROJECT/iterations/ITERATION/publish'],
    ['POST', `/PROJECT/iterations/ITERATION/publish?publishName=${'x'.repeat(101)}`],
    ['POST', `/PROJECT/iterations/ITERATION/publish?publishName=${encoded('💧'.repeat(100))}`],
    ['POST', `/PROJECT/iterations/ITERATION/publish?publishName=x&predictionId=${long}`],
    ['DELETE', '/PROJECT/iterations/ITERATION/publish'],
    ['DELETE', '/PROJECT/iterations/PUBLISHED'],
    [
      'POST',
      '/PROJECT/iterations/ITERATION/publish?publishName=live',
      undefined,
      { status: 409, code: 'Conflict' },
    ],
    ['DELETE', '/PROJECT/iterations/ITERATION', undefined, { status: 409, code: 'Conflict' }],
    ['GET', '/nothing', undefined, NOT_FOUND],
    ['GET', '/projects/..%2f..', undefined, NOT_FOUND],
    ['GET', `/projects/${'x'.repeat(9000)}`, undefined, NOT_FOUND],
    ['GET', '/projects/00000000-0000-0000-0000-000000000000', undefined, NOT_FOUND],
    ['DELETE', '/PROJECT/tags/..', undefined, NOT_FOUND],
    ['DELETE', '/PROJECT/tags/00000000-0000-0000-0000-000000000000', undefined, NOT_FOUND],
    ['GET', '/PROJECT/iterations/TAG', undefined, NOT_FOUND],
    ['POST', '/PROJECT/quicktest/image?iterationId=TAG', { body: JPEG }, NOT_FOUND],
  ];
  it.each(requests.map((request) => [shown(request[0], request[1], request[2]), ...request] as const))(
    '%s',
    async (_, ...request) => {
      const [method, path, options, expected = BAD_REQUEST] = request;
      const before = await everything();
      const address = path
        .replace('/PROJECT', project.slice(TRAINING.length))
        .replace('TAG', tags[0])
        .replace('ITERATION', iterations[0])
        .replace('PUBLISHED', iterations[1]);
      expect(await errorOf(await call(method, TRAINING + address, options))).toEqual(expected);
      expect(await everything()).toEqual(before);
    },
  );

  it.each([
    ['no picture', 'image', 'not a picture', 'ErrorImageFormat'],
    ['half a picture', 'image', JPEG.subarray(0, 200), 'ErrorImageFormat'],
    ['an empty one', 'files', { contents: '' }, 'ErrorImageFormat'],
    ['a private address', 'urls', { url: 'https://localhost/a.jpg' }, 'ErrorSource'],
    ['no address', 'urls', { url: 'nonsense' }, 'ErrorSource'],
    ['a prediction by a path', 'predictions', { id: '../../tags' }, 'ErrorSource'],
    [
      'a prediction that is none',
      'predictions',
      { id: '00000000-0000-0000-0000-000000000000' },
      'ErrorSource',
    ],
  ] as const)('%s among images', async (_, form, image, status) => {
    const before = await everything();
    const binary = typeof image === 'string' || image instanceof Uint8Array;
    const [path, options] = binary
      ? [`images?tagIds=${tags[0]}`, { body: image, type: 'application/octet-stream' }]
      : [`images/${form}`, { json: { images: [{ ...image, tagIds: [tags[0]] }] } }];
    const answer = await (await call('POST', `${project}/${path}`, options)).json();
    expect(answer).toMatchObject({ isBatchSuccessful: false, images: [{ status }] });
    expect(await everything()).toEqual(before);
  });

  it('JSON of nothing but brackets, which fit no memory', async () => {
    const response = await call('POST', `${project}/images/files`, { body: '['.repeat(MAX_JSON_PARTS + 1) });
    expect((await errorOf(response)).status).toBe(413);
  });

  it.each([
    ['POST', 'images', 'application/octet-stream', MAX_FILE_BYTES],
    ['POST', 'images', 'multipart/form-data; boundary=x', MAX_MULTIPART_BYTES],
    ['POST', 'images/files', 'application/json', MAX_CUSTOM_VISION_JSON_BYTES],
    ['POST', 'quicktest/image', 'image/jpeg', MAX_FILE_BYTES],
  ] as const)('%s %s as %s of more than %i bytes', async (method, path, type, most) => {
    for (const headers of [{ 'content-length': '100000000' }, {}]) {
      const { stream, sent } = slowBytes(100e6);
      const response = await call(method, `${project}/${path}`, { type, headers, body: stream });
      expect(await errorOf(response)).toEqual({ status: 413, code: 'BadRequestImageSizeBytes' });
      expect(sent()).toBeLessThanOrEqual('content-length' in headers ? 2 << 20 : most + (2 << 20));
    }
  });
});

describe('predictions', () => {
  it.each<[string, CallOptions, number]>([
    ['live/image', { body: '' }, 400],
    ['live/image/nostore', { body: 'not a picture' }, 415],
    ['live/image', { body: JPEG.subarray(0, 200) }, 422],
    ['live/image', { body: '--x--', type: 'multipart/form-data; boundary=x' }, 400],
    ['live/url', { json: { url: 'http://169.254.169.254/' } }, 400],
    ['live/url/nostore', { json: { address: 'x' } }, 400],
    ['live/url', { body: '[' }, 400],
    ['dead/image', { body: JPEG }, 404],
    [`${'x'.repeat(200)}/image`, { body: JPEG }, 404],
    ['__proto__/image', { body: JPEG }, 404],
  ])('of %s are refused and not stored', async (path, options, status) => {
    expect((await errorOf(await call('POST', `${predict}/${path}`, options))).status).toBe(status);
    const stored = await call('POST', `${project}/predictions/query`, { json: {} });
    expect(await stored.json()).toMatchObject({ results: [] });
  });
});

describe('without a right', () => {
  it('all is refused to keys of others, which see nothing of it', async () => {
    const before = await everything();
    const otherKey = (await isolate.newTenant()).key;
    const reader = (await isolate.newKey(key, ['read'])).key;
    const writer = (await isolate.newKey(key, ['write'])).key;
    const unauthorized = { status: 401, code: 'Unauthorized' };
    const forbidden = { status: 403, code: 'Forbidden' };
    const requests: [string, string, CallOptions?][] = [
      ['GET', project],
      ['PATCH', project, { json: { name: 'stolen' } }],
      ['DELETE', project],
      ['POST', `${project}/tags?name=c`],
      ['DELETE', `${project}/tags/${tags[0]}`],
      ['GET', `${project}/images`],
      ['DELETE', `${project}/images?allImages=true`],
      ['POST', `${project}/train`],
      ['DELETE', `${project}/iterations/${iterations[1]}/publish`],
      ['POST', `${project}/predictions/query`, { json: {} }],
    ];
    for (const [method, path, options] of requests) {
      expect(await errorOf(await isolate.call(path, { method, ...options }))).toEqual(unauthorized);
      expect(await errorOf(await call(method, path, options, 'hw_wrong'))).toEqual(unauthorized);
      expect(await errorOf(await call(method, path, options, reader))).toEqual(forbidden);
      expect(await errorOf(await call(method, path, options, otherKey))).toEqual(NOT_FOUND);
    }
    const image: CallOptions = { body: JPEG };
    expect(await errorOf(await call('POST', `${predict}/live/image`, image, otherKey))).toEqual(NOT_FOUND);
    expect(await errorOf(await call('POST', `${predict}/live/image`, image, writer))).toEqual(forbidden);
    expect(await (await call('GET', `${TRAINING}/projects`, {}, otherKey)).json()).toEqual([]);
    expect(await everything()).toEqual(before);
  });

  it('what asks too often waits, whatever it asks for', async () => {
    const { REQUESTS: _binding, ...bare } = testEnv;
    const limited = new Isolate({ ...bare, HEADWATER_MAX_REQUESTS: '1' });
    const headers = { 'training-key': (await limited.newTenant()).key };
    expect((await limited.call(`${TRAINING}/domains`, { headers })).status).toBe(200);
    const response = await limited.call(`${TRAINING}/domains`, { headers });
    expect(response.headers.get('retry-after')).toMatch(/^[0-9]+$/);
    expect(await errorOf(response)).toEqual({ status: 429, code: 'TooManyRequests' });
  });

  it.each(['/customvision/v9/training/projects', '/customvision/v3.3/TRAINING/projects', '/customvision'])(
    '%s is not there',
    async (path) => {
      expect(await errorOf(await call('GET', path))).toEqual(NOT_FOUND);
    },
  );
});
