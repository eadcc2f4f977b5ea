/** Our own API, called from inside: what a Custom Vision call means in it, with the caller's key and all its checks. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { App, Env } from '../../env.ts';
import type { Part } from '../../http/multipart.ts';
import { giveForm } from '../../http/pictures.ts';
import { ApiError, isProblemCode, type ProblemCode } from '../../http/problem.ts';
import { chargeTo, type Working } from '../../isolate/request-work.ts';

/** What our API objects to becomes the answer, or the error, as it is. */
const OwnProblem = z.object({ code: z.custom<ProblemCode>(isProblemCode), detail: z.string() });

export interface OwnCall {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly json?: unknown;
  /** A form, whose bytes are on loan to whoever asks. */
  readonly form?: readonly Part[];
}

/** Where the question comes from. */
export interface Origin extends Working {
  readonly req: { readonly url: string; readonly raw: Request };
  readonly env: Env;
  readonly executionCtx: Context['executionCtx'];
}

export class OwnApi {
  readonly #app: App;
  readonly #origin: Origin;
  readonly #key: string;

  constructor(app: App, origin: Origin, key: string) {
    this.#app = app;
    this.#origin = origin;
    this.#key = key;
  }

  /** @throws ApiError */
  async call<S extends z.ZodType>(path: string, schema: S, call: OwnCall = {}): Promise<z.output<S>> {
    const response = await this.#send(path, call);
    return schema.parse(await response.json());
  }

  /** @throws ApiError */
  async tell(path: string, call: OwnCall): Promise<void> {
    await (await this.#send(path, call)).body?.cancel();
  }

  /** Like `call`, but undefined for what isn't there. */
  async find<S extends z.ZodType>(
    path: string,
    schema: S,
    call: OwnCall = {},
  ): Promise<z.output<S> | undefined> {
    return orMissing(this.call(path, schema, call));
  }

  /** Deletes what may not be there. @throws ApiError */
  async remove(path: string): Promise<void> {
    await orMissing(this.tell(path, { method: 'DELETE' }));
  }

  async #send(path: string, { method = 'GET', json, form }: OwnCall): Promise<Response> {
    const headers = new Headers({ authorization: `Bearer ${this.#key}` });
    if (json !== undefined) headers.set('content-type', 'application/json');
    if (form !== undefined) headers.set('content-type', 'multipart/form-data');
    const body = json === undefined ? null : JSON.stringify(json);
    const request = new Request(new URL(path, this.#origin.req.url), { method, headers, body });
    if (form !== undefined) giveForm(request, form);
    const { env, executionCtx } = this.#origin;
    chargeTo(this.#origin, request);
    const response = await this.#app.fetch(request, env, executionCtx);
    if (response.ok) return response;
    const { code, detail } = OwnProblem.parse(await response.json());
    throw new ApiError(code, detail);
  }
}

/** @returns undefined for what isn't there. */
function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  return answer.catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  });
}

export function headPath(head: string): string {
  return `/v1/heads/${head}`;
}
