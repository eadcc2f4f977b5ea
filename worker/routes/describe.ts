/** How routes describe themselves in the OpenAPI document. Bodies are documented, but read and checked by body.ts, within caps. */
import { z } from '@hono/zod-openapi';
import { HeadName, Problem, VersionText } from '../../src/api/index.ts';

/** The success of a route. The problems that any may answer with stand in the document's description of `default`. */
export function answers<S extends z.ZodType, Status extends 200 | 201>(
  status: Status,
  schema: S,
  description: string,
) {
  const answer = { description, content: { 'application/json': { schema } } };
  return { [status]: answer } as Record<Status, typeof answer>;
}

export const PROBLEM = {
  default: { description: 'A problem', content: { 'application/problem+json': { schema: Problem } } },
};

/** A JSON body: shown in the document, not validated by the router, which would read it without a cap. */
export function jsonBody(schema: z.ZodType) {
  return { required: true, content: { 'application/json': { schema: plain(schema) } } };
}

export const HeadPath = z.object({ head: HeadName });
export const VersionPath = HeadPath.extend({ version: VersionText });

const BINARY = { type: 'string' as const, format: 'binary' };

/** One picture, in any of the forms that pictures.ts reads. */
export const pictureBody = {
  required: true,
  content: {
    'image/*': { schema: BINARY },
    'application/octet-stream': { schema: BINARY },
    'multipart/form-data': {
      schema: { type: 'object' as const, required: ['image'], properties: { image: BINARY } },
    },
    'application/json': {
      schema: {
        oneOf: [
          {
            type: 'object' as const,
            required: ['image'],
            properties: { image: { type: 'string' as const, format: 'byte' } },
          },
          {
            type: 'object' as const,
            required: ['url'],
            properties: { url: { type: 'string' as const, format: 'uri' } },
          },
        ],
      },
    },
  },
};

export const headFileBody = {
  required: true,
  content: { 'application/octet-stream': { schema: BINARY } },
};

/** A schema as plain JSON Schema, which the router takes for documentation only. */
function plain(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'openapi-3.0' });
  return rest;
}
