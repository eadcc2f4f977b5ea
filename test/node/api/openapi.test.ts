/**
 * The OpenAPI document: valid by somebody else's judgement, shown at /docs, and true of 2,000 random requests, of which
 * neither the log nor an error shows what is nobody's business.
 */
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ADMIN_SECRET, TestHost, picture } from '../protocols/test-host.ts';
import { Document, Generator, type Made, type Place, type Schema } from './generator.ts';
import { Secrets } from './secrets.ts';
import { HEAD, LABELS, BATCHES, TAUGHT, Tenants, type Tenant } from './tenants.ts';

const REQUESTS = 2_000;
/** So many requests by one tenant: none should meet a cap on requests, and deletions don't leave the rest without heads. */
const REQUESTS_PER_TENANT = 40;
const SEED = 20_261_123;
const Health = z.object({
  backbone: z.object({ name: z.string(), version: z.string(), weights_sha256: z.string() }),
});

const secrets = new Secrets();
const log: string[] = [];
let host: TestHost;
let json: Record<string, unknown>;
let document: Document;
beforeAll(async () => {
  host = await TestHost.open((line) => log.push(line));
  json = z.record(z.string(), z.unknown()).parse(await (await fetch(host.address('/openapi.json'))).json());
  document = Document.parse(json);
});
afterAll(() => host.close());

it('is valid OpenAPI 3.1', async () => {
  const { valid, errors } = await new Validator().validate(structuredClone(json));
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  expect(document.openapi).toMatch(/^3\.1\./);
});

/** Compiles schemas of the document, references and all. */
function compiler(): (schema: Schema) => ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: false });
  formats(ajv);
  ajv.addSchema({ $id: 'document', components: json['components'] });
  const compiled = new WeakMap<Schema, ValidateFunction>();
  return (schema) => {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/');
    const made = ajv.compile(z.looseObject({}).parse(JSON.parse(text)));
    compiled.set(schema, made);
    return made;
  };
}

/** What of an answer is not as the document says; undefined where all is well. */
async function fault(
  { place }: Made,
  response: Response,
  validator: (schema: Schema) => ValidateFunction,
): Promise<string | undefined> {
  if (response.status >= 500) return `status ${response.status}: ${await response.text()}`;
  if (response.headers.get('x-request-id') === null) return 'no request id';
  const documented = place.operation.responses[response.status] ?? place.operation.responses['default'];
  if (documented === undefined) return `status ${response.status} is not documented`;
  const success = response.status < 300;
  if (success && !(response.status in place.operation.responses))
    return `success ${response.status} is not documented`;
  const type = (response.headers.get('content-type') ?? '').split(';')[0];
  const body = new Uint8Array(await response.arrayBuffer());
  if (documented.content === undefined)
    return body.length === 0 ? undefined : 'a body where none is documented';
  const content = documented.content[type];
  if (content === undefined) return `content type '${type}' is not documented for ${response.status}`;
  if (!type.endsWith('json') || content.schema === undefined) return undefined;
  const text = new TextDecoder().decode(body);
  for (const line of type.endsWith('ndjson') ? text.trim().split('\n') : [text]) {
    const validate = validator(content.schema);
    if (!validate(JSON.parse(line))) return `${JSON.stringify(validate.errors)} in ${line.slice(0, 300)}`;
  }
  return undefined;
}

/** Calls of other people's protocols, which the document leaves to those: right ones and wrong ones. */
const PROTOCOL_CALLS: readonly (readonly [string, string])[] = [
  ['/hf-inference/models/pets', 'image/jpeg'],
  ['/hf-inference/models/nobody', 'image/jpeg'],
  ['/client/v4/accounts/a/ai/run/@headwater/pets', 'image/jpeg'],
  ['/client/v4/accounts/a/ai/run/@headwater/nobody', 'application/json'],
  ['/v2/models/pets/infer', 'application/json'],
  ['/v2/models/nobody/infer', 'application/json'],
  ['/customvision/v3.0/Prediction/p/classify/iterations/i/image', 'application/octet-stream'],
  ['/customvision/v3.3/Training/projects', 'application/json'],
  ['/customvision/v3.3/Training/projects/p/images/files', 'application/json'],
];

async function speakProtocols({ key }: Tenant): Promise<void> {
  for (const [path, type] of PROTOCOL_CALLS) {
    for (const body of [picture(), picture().subarray(0, 200), JSON.stringify({ inputs: 'x' }), '{']) {
      const headers = { authorization: `Bearer ${key}`, 'training-key': key, 'prediction-key': key };
      const init = { method: 'POST', headers: { ...headers, 'content-type': type }, body };
      const response = await fetch(host.address(path), init);
      const text = await response.text();
      if (!response.ok) secrets.readError(text, path);
    }
  }
}

function authorization({ path }: Place, { key, spareKey }: Tenant): string {
  if (path.startsWith('/v1/tenants')) return `Bearer ${ADMIN_SECRET}`;
  return `Bearer ${path === '/v1/restore' ? spareKey : key}`;
}

describe('answers', () => {
  it(
    `to ${REQUESTS} random requests are no server errors and match the document`,
    { timeout: 600_000 },
    async () => {
      const ids: string[] = [];
      const { backbone } = Health.parse(await (await fetch(host.address('/healthz'))).json());
      const tenants = await Tenants.prepare(host, backbone.name);
      const first = await tenants.next();
      const backup = await tenants.backup(first);
      secrets.add(ADMIN_SECRET, await tenants.other(), ...first.keys);
      secrets.addWords(...LABELS);
      for (const [, name] of BATCHES) secrets.addPicture(picture(name));
      await speakProtocols(first);
      const validator = compiler();
      const archive = new Uint8Array(Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64'));
      const generator = new Generator(
        document,
        {
          pictures: [
            picture(),
            picture('rgb.png'),
            picture('lossy.webp'),
            new Uint8Array([0xff, 0xd8, 0xff]),
          ],
          texts: {
            head: [HEAD, TAUGHT],
            heads: [HEAD, `${HEAD}@1,${TAUGHT}`],
            version: ['1', backbone.version],
            id: ids,
            picture: ['0'.repeat(64)],
            base: ['0'.repeat(64)],
            code: [Buffer.from(new Uint8Array(2208 * 2)).toString('base64')],
            name: [backbone.name],
            weights_sha256: [backbone.weights_sha256],
            explain: ['label', 'tabby'],
            image: [Buffer.from(picture()).toString('base64')],
            url: ['https://example.invalid/photo.jpg'],
            label: LABELS,
            '': ['a', 'wolves', '7', '2026-11-23', '2026-11-23T20:42:08.000Z', 'true', 'false'],
          },
          files: {
            '/v1/heads/{head}': tenants.file,
            '/v1/restore': backup,
            'application/zip': archive,
          },
        },
        validator,
        SEED,
      );
      const places = generator.places();
      const succeeded = new Set<Place>();
      const faults: string[] = [];
      const statuses: Record<number, number> = {};
      let tenant: Tenant | undefined;
      for (let i = 0; i < REQUESTS; i++) {
        if (tenant === undefined || i % REQUESTS_PER_TENANT === 0) {
          tenant = await tenants.next();
          secrets.add(...tenant.keys);
        }
        const place = places[i % places.length];
        const { example } = tenant;
        const likely = place.path.includes('/examples/') ? Array.from({ length: 5 }, () => example) : [];
        ids.splice(0, ids.length, ...tenant.ids, ...likely);
        const made = generator.make(place);
        const headers = { authorization: authorization(made.place, tenant), ...made.init.headers };
        const response = await fetch(host.address(made.address), { ...made.init, headers });
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
        if (response.ok) succeeded.add(made.place);
        if (!response.ok) secrets.readError(await response.clone().text(), made.address.slice(0, 100));
        const found = await fault(made, response, validator);
        if (found !== undefined) {
          faults.push(
            `${made.init.method} ${made.address.slice(0, 100)} (${made.what}): ${found.slice(0, 500)}`,
          );
        }
        // The spare key is gone when it was revoked, the tenant's own when that was: then another tenant takes over.
        if (response.status === 401 && made.valid) tenant = undefined;
      }
      console.log(
        `${REQUESTS} requests to ${places.length} operations, answers by status: ${JSON.stringify(statuses)}.`,
      );
      expect(faults).toEqual([]);
      for (const line of log) secrets.readLog(line);
      expect(log.length).toBeGreaterThan(REQUESTS);
      expect(secrets.found).toEqual([]);
      const never = places
        .filter((place) => !succeeded.has(place))
        .map(({ method, path }) => `${method} ${path}`);
      expect(never, 'operations that never succeeded').toEqual([]);
    },
  );
});
