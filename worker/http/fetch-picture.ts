/**
 * Fetches a picture from a URL that a caller gave, without becoming the caller's way into other networks: https on the
 * usual port, public host names only, every redirect checked like the first URL, no credentials, a time limit, and the
 * body is left to be read within a cap. Cloudflare's network reaches public addresses only; elsewhere, a host name that
 * resolves to a private address must be stopped by the network that workerd is given.
 */
import { FETCH_MAX_REDIRECTS, FETCH_MAX_URL_LENGTH, FETCH_TIMEOUT_MS } from '../limits.ts';
import { ApiError } from './problem.ts';

const PRIVATE_SUFFIXES = [
  'localhost',
  'localdomain',
  'localdomain6',
  'localhost6',
  'local',
  'internal',
  'private',
  'intranet',
  'intra',
  'mail',
  'alt',
  'lan',
  'home',
  'corp',
  'svc',
  'pod',
  'cluster',
  'consul',
  'docker',
  'arpa',
  'test',
  'invalid',
  'onion',
];

type Fetcher = (url: string, init: RequestInit) => Promise<Response>;

/**
 * @param fetcher for tests with servers of their own.
 * @returns an answer with status 200 whose body is still to be read.
 * @throws ApiError url_refused, url_failed
 */
export async function fetchPicture(url: string, fetcher: Fetcher = fetch): Promise<Response> {
  const signal = AbortSignal.timeout(FETCH_TIMEOUT_MS);
  let target = checkUrl(url);
  for (let hop = 0; hop <= FETCH_MAX_REDIRECTS; hop++) {
    const response = await request(target, signal, fetcher);
    if (response.status === 200) return response;
    const location = response.headers.get('location');
    await response.body?.cancel().catch(() => undefined);
    if (response.status < 300 || response.status > 399 || location === null) {
      throw failed(`${target.host} answered with status ${response.status}`);
    }
    target = checkUrl(location, target);
  }
  throw failed(`more than ${FETCH_MAX_REDIRECTS} redirects`);
}

async function request(target: URL, signal: AbortSignal, fetcher: Fetcher): Promise<Response> {
  try {
    return await fetcher(target.href, {
      redirect: 'manual',
      signal,
      headers: { accept: 'image/jpeg, image/png, image/webp', 'user-agent': 'headwater' },
    });
  } catch (cause) {
    const late = cause instanceof Error && cause.name === 'TimeoutError';
    throw failed(
      late ? `no answer within ${FETCH_TIMEOUT_MS / 1000} s` : `${target.host} could not be reached`,
      cause,
    );
  }
}

/** @throws ApiError url_refused */
export function checkUrl(text: string, base?: URL): URL {
  if (text.length > FETCH_MAX_URL_LENGTH)
    throw refused(`it is longer than ${FETCH_MAX_URL_LENGTH} characters`);
  const url = URL.parse(text, base?.href);
  if (url === null) throw refused('it is no valid URL');
  if (url.protocol !== 'https:') throw refused('it must begin with https://');
  if (url.port !== '') throw refused('it must not name a port');
  if (url.username !== '' || url.password !== '') throw refused('it must not hold credentials');
  if (!isPublicName(url.hostname)) throw refused('its host must be a public host name');
  return url;
}

/** Two labels at least, no address of any kind (the parser has brought those of IPv4 into dotted form), no private zone. */
function isPublicName(hostname: string): boolean {
  const labels = hostname.replace(/\.$/, '').split('.');
  const last = labels.at(-1) ?? '';
  if (labels.length < 2 || hostname.startsWith('[') || /^[0-9]+$/.test(last)) return false;
  return labels.every((label) => label !== '') && !PRIVATE_SUFFIXES.includes(last);
}

const refused = (reason: string): ApiError =>
  new ApiError('url_refused', `The URL is not allowed: ${reason}.`, { field: 'url' });

const failed = (reason: string, cause?: unknown): ApiError =>
  new ApiError('url_failed', `The picture's URL could not be fetched: ${reason}.`, { field: 'url', cause });
