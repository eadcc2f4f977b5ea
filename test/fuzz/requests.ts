/** A case as a request: a call, a body that is nearly right, and now and then an address or headers that are not. */
import { PLACES, type Place, type World } from './places.ts';
import type { Random } from './random.ts';

export interface FuzzedRequest {
  readonly place: Place;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Without '..', which fetch() resolves by itself. */
const STRANGE = [
  '',
  '%',
  '%00',
  '%ff',
  '%2e%2e%2f',
  '%F0%9F%92%A7',
  '-1',
  '1e9',
  'NaN',
  '9007199254740993',
  '__proto__',
  "';--",
  'x'.repeat(3_000),
  'a'.repeat(20_000),
  '@1@2',
  '%ED%A0%80',
];
const QUERIES = [
  'top_k',
  'version',
  'explain',
  'heads',
  'head',
  'train',
  'limit',
  'after',
  'tagIds',
  'parameters',
  'name',
];
const TYPES = [
  '',
  'text/html; charset',
  'application/json; charset=utf-16',
  'multipart/form-data',
  'image/',
  '*/*',
  'x'.repeat(2_000),
];
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['content-encoding', ['gzip', 'br', 'x']],
  ['idempotency-key', ['a', 'x'.repeat(200), '"']],
  ['routing-key', ['a', 'x'.repeat(5_000)]],
  ['origin', ['null', 'https://a.example']],
  ['range', ['bytes=0-1', 'bytes=9-1']],
  ['if-none-match', ['*', '"a"']],
  ['accept', ['x'.repeat(9_000), 'text/html']],
];

export function fuzzedRequest(random: Random, world: World): FuzzedRequest {
  const place = random.pick(PLACES);
  const { type, bytes: body } = place.body(random, world);
  const known = place.path
    .replace('{example}', world.example)
    .replace('{project}', world.project)
    .replace('{tag}', world.tag);
  const headers: Record<string, string> = { 'content-type': random.oneIn(20) ? random.pick(TYPES) : type };
  if (random.oneIn(10)) {
    const [name, values] = random.pick(HEADERS);
    headers[name] = random.pick(values);
  }
  return { place, path: random.oneIn(10) ? changePath(random, known) : known, headers, body };
}

function changePath(random: Random, path: string): string {
  const strange = random.pick(STRANGE);
  const query = path.includes('?') ? '&' : '?';
  const steps = path.split('/');
  const at = 2 + random.below(Math.max(1, steps.length - 2));
  return random.do(
    () => `${path}${query}${random.pick(QUERIES)}=${strange}`,
    () => `${path}${`${query}${random.pick(QUERIES)}=a`.repeat(random.pick([1, 2, 400]))}`,
    () => steps.map((step, i) => (i === at ? strange : step)).join('/'),
    () => `${path}/${strange}`,
  );
}
