/** What every Custom Vision route begins with: whose key it is, their records, and our own API on their behalf. */
import type { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Scope } from '../../../src/api/index.ts';
import type { App, AppEnv, Env, Variables } from '../../env.ts';
import { addressOf } from '../../access/auth.ts';
import { ApiError } from '../../http/problem.ts';
import { workOf } from '../../isolate/request-work.ts';
import type { Services } from '../../isolate/services.ts';
import { problemShape } from '../problem-shape.ts';
import { OwnApi } from './own-api.ts';
import { Records, type Project } from './records.ts';

export interface CallerEnv extends AppEnv {
  Bindings: Env;
  /** The project where the call is to one: withProject. */
  Variables: Variables & { api: OwnApi; records: Records; project: Project };
}

/** What calls to a project are answered from. */
export type ProjectCaller = Pick<CallerEnv['Variables'], 'api' | 'records' | 'project'>;

export type CallerApp = Hono<CallerEnv>;

/** @param header Training-Key or Prediction-Key: either is one of our keys. */
export const asCaller = (app: App, { keys }: Services, header: string, scope: Scope) =>
  createMiddleware<CallerEnv>(async (c, next) => {
    const key = c.req.header(header) ?? c.req.header('ocp-apim-subscription-key');
    if (key === undefined) throw new ApiError('unauthorized', `This call needs the header '${header}'.`);
    const { tenant, id, scopes } = await keys.find(c.env, key, addressOf(c.req));
    c.set('principal', { tenant, keyId: id, scopes });
    await keys.admit(c.env, tenant);
    if (!scopes.includes(scope)) {
      throw new ApiError('forbidden', `This call needs a key with the scope '${scope}'.`);
    }
    workOf(c).owner = tenant;
    c.set('api', new OwnApi(app, c, key));
    const confirm = () => keys.confirm(c.env, c.var.principal);
    if (scope !== 'read') await confirm();
    c.set('records', new Records(c.env, tenant, confirm));
    await next();
  });

/** Of calls to a project: there is one. */
export const withProject = createMiddleware<CallerEnv>(async (c, next) => {
  c.set('project', await c.var.records.project(c.req.param('project') ?? ''));
  await next();
});

/** Of errors, by status. */
const CODES: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'BadRequestImageSizeBytes',
  415: 'BadRequestImageFormat',
  422: 'BadRequestInvalid',
  429: 'TooManyRequests',
};

/** Errors as Custom Vision words them. */
export const customVisionErrors = problemShape(({ status, detail, code }) => ({
  code: CODES[status] ?? 'ErrorUnknown',
  message: detail,
  problem: code,
}));
