/** Who the caller is, and what they may do. */
import { createMiddleware } from 'hono/factory';
import type { Scope } from '../../src/api/index.ts';
import { secretsEqual } from './api-key.ts';
import type { AppEnv, RequestKind } from '../env.ts';
import { MAX_CREDENTIAL_LENGTH } from '../limits.ts';
import { ApiError } from '../http/problem.ts';
import { workOf } from '../isolate/request-work.ts';
import { predictFirst } from '../isolate/right-of-way.ts';
import type { KeyStore } from '../stores/keys.ts';

/**
 * Lets a request pass that has a key with the scope, and notes its principal and its kind. Predictions have the right of way.
 * The handler carries its kind, so that the kinds of all routes can be listed.
 */
export const requireScope = (keys: KeyStore, scope: Scope, kind: RequestKind) => {
  const admitted = createMiddleware<AppEnv>(async (c, next) => {
    const { tenant, id, scopes } = await keys.find(
      c.env,
      bearer(c.req.header('authorization')),
      addressOf(c.req),
    );
    c.set('principal', { tenant, keyId: id, scopes });
    c.set('kind', kind);
    workOf(c).owner = tenant;
    await keys.admit(c.env, tenant);
    if (!scopes.includes(scope)) {
      throw new ApiError(
        'forbidden',
        `This call needs a key with the scope '${scope}'; this one has ${scopes.join(', ')}.`,
      );
    }
    // Caches may be a minute behind: enough to answer, not to write.
    if (scope !== 'read') await keys.confirm(c.env, c.get('principal'));
    await next();
  });
  const handler = createMiddleware<AppEnv>((c, next) => {
    const admit = () => admitted(c, next);
    return PREDICTIONS.has(kind) ? predictFirst(workOf(c), admit) : admit();
  });
  return Object.assign(handler, { kind });
};

/** Kinds that go before all others of the isolate. */
const PREDICTIONS: ReadonlySet<RequestKind> = new Set(['classify', 'classify-batch', 'embed']);

/** The address that a request comes from; on Cloudflare nobody else can set this header. */
export const addressOf = (request: { header(name: string): string | undefined }): string =>
  request.header('cf-connecting-ip')?.slice(0, MAX_ADDRESS_LENGTH) ?? 'unknown';

/** Lets a request pass that bears the admin secret. Without such a secret nobody passes. */
export const requireAdminSecret = createMiddleware<AppEnv>(async (c, next) => {
  const secret = c.env.HEADWATER_ADMIN_SECRET ?? '';
  if (secret === '') {
    throw new ApiError(
      'admin_disabled',
      'Tenants cannot be created: this Worker has no HEADWATER_ADMIN_SECRET. Set it and try again.',
    );
  }
  if (!(await secretsEqual(bearer(c.req.header('authorization')), secret))) {
    throw new ApiError('unauthorized', 'Send the admin secret as `Authorization: Bearer …`.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  await next();
});

/** Of an IPv6 address with an IPv4 one in it. */
const MAX_ADDRESS_LENGTH = 45;
const SCHEME = 'bearer ';

/** Without a regular expression: anybody can send this header without a key, as long as the host allows. */
function bearer(header = ''): string {
  const isBearer = header.slice(0, SCHEME.length).toLowerCase() === SCHEME;
  const isShort = header.length <= SCHEME.length + MAX_CREDENTIAL_LENGTH;
  const token = isBearer && isShort ? header.slice(SCHEME.length).trim() : '';
  if (token === '') {
    throw new ApiError('unauthorized', 'This call needs `Authorization: Bearer <key>`.', {
      headers: { 'www-authenticate': 'Bearer' },
    });
  }
  return token;
}
