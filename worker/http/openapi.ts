/** How routes describe themselves in the OpenAPI document. Bodies are documented, but read and checked by body.ts, within caps. */
import { z, type RouteConfig } from '@hono/zod-openapi';
import type { App } from '../env.ts';
import {
  BatchLine,
  CreateKey,
  CreateTenant,
  HeadName,
  Problem,
  TeachBody,
  TenantSettings,
  VersionText,
  Activate,
  Feedback,
  HeadSettings,
  NameVersion,
  VersionName,
  BackupRow,
} from '../../src/api/index.ts';
import { MAX_ROUTING_KEY_LENGTH, ROUTING_KEY } from '../limits.ts';
import { RelabelExample } from '../../src/api/report.ts';

/** Adds operations to an app, by their methods: `get(path, what the document says of it)(handler)`. */
export function operations(app: App) {
  const by =
    <M extends RouteConfig['method']>(method: M) =>
    <P extends string, D extends Omit<RouteConfig, 'method' | 'path'>>(path: P, described: D) =>
    (handler: Parameters<typeof app.openapi<D & { method: M; path: P }>>[1]): void => {
      app.openapi({ ...described, method, path }, handler);
    };
  return { get: by('get'), put: by('put'), post: by('post'), patch: by('patch'), remove: by('delete') };
}

/** The success of a route. */
export function answers<S extends z.ZodType, Status extends 200 | 201>(
  status: Status,
  schema: S,
  description: string,
) {
  const answer = { description, content: { 'application/json': { schema } } };
  return { [status]: answer } as Record<Status, typeof answer>;
}

/** What any route may answer with instead; app.ts adds it to all of them. */
export const PROBLEM_ANSWER = {
  description:
    'A problem. 413 `too_much_work`: the images of one request take more than 2,000 ms to decode and to run through the backbones of its heads, as estimated from their headers and the networks; send fewer at once, or smaller ones.',
  content: { 'application/problem+json': { schema: Problem } },
};

/**
 * A JSON body, by its schema's name: shown in the document, not validated by the router, which would read it without a
 * cap. BODY_SCHEMAS puts the schemas into the document.
 */
export function jsonBody(name: keyof typeof BODY_SCHEMAS) {
  return {
    required: true,
    content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
  };
}

export const BODY_SCHEMAS = {
  Activate,
  BackupRow,
  BatchLine,
  CreateKey,
  CreateTenant,
  Feedback,
  HeadSettings,
  NameVersion,
  RelabelExample,
  TeachBody,
  TenantSettings,
};

/** A text of some format, and an object that has these fields, in JSON Schema. */
const text = (format: string) => ({ type: 'string' as const, format });
const objectOf = <P extends object>(properties: P) => ({
  type: 'object' as const,
  required: Object.keys(properties),
  properties,
});

export const BINARY = text('binary');

/** Labelled pictures in a form whose fields are labels, or in JSON. */
export const teachBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object' as const,
        minProperties: 1,
        additionalProperties: { oneOf: [BINARY, { type: 'array' as const, items: BINARY }] },
        description: 'One field per label with one image or many; or fields `label` and `image`.',
      },
    },
    'application/json': { schema: { $ref: '#/components/schemas/TeachBody' } },
  },
};

/** Of calls that a canary may answer. */
export const RoutingHeaders = z.object({
  [ROUTING_KEY]: z.string().min(1).max(MAX_ROUTING_KEY_LENGTH).optional().meta({
    description:
      "Text that decides, instead of the image, whether the canary answers. Send for example a user's id, so that the user always gets the same version.",
  }),
});

export const HeadPath = z.object({ head: HeadName });
export const VersionNamePath = HeadPath.extend({ name: VersionName });
export const VersionPath = HeadPath.extend({ version: VersionText });

/** One picture, in any of the forms that pictures.ts reads. */
export const pictureBody = {
  required: true,
  content: {
    'image/*': { schema: BINARY },
    'application/octet-stream': { schema: BINARY },
    'multipart/form-data': { schema: objectOf({ image: BINARY }) },
    'application/json': {
      schema: { oneOf: [objectOf({ image: text('byte') }), objectOf({ url: text('uri') })] },
    },
  },
};

/** Many pictures: the parts of a form, or the files of an archive. */
export const batchBody = {
  required: true,
  content: {
    'multipart/form-data': {
      schema: objectOf({ image: { type: 'array' as const, minItems: 1, items: BINARY } }),
    },
    'application/zip': { schema: BINARY },
  },
};

export const headFileBody = {
  required: true,
  content: { 'application/octet-stream': { schema: BINARY } },
};
