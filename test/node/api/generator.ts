/** Requests made from an OpenAPI document: valid ones, and ones that are wrong in one of many ways. Same seed, same requests. */
import type { ValidateFunction } from 'ajv';
import { z } from 'zod';

const Schema = z.looseObject({});
export type Schema = z.infer<typeof Schema>;

const Content = z.record(z.string(), z.object({ schema: Schema.optional() }));
const Parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
  schema: Schema,
});
const Operation = z.object({
  parameters: z.array(Parameter).optional(),
  requestBody: z.object({ required: z.boolean().optional(), content: Content }).optional(),
  responses: z.record(z.string(), z.object({ content: Content.optional() })),
});
export type Operation = z.infer<typeof Operation>;
export const Document = z.object({
  openapi: z.string(),
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.object({ schemas: z.record(z.string(), Schema) }),
});
export type Document = z.infer<typeof Document>;

export interface Place {
  readonly path: string;
  readonly method: string;
  readonly operation: Operation;
}

export interface Made {
  readonly place: Place;
  readonly address: string;
  readonly init: { method: string; headers: Record<string, string>; body?: BodyInit };
  /** Whether it should pass validation; what it names need not be there. */
  readonly valid: boolean;
  readonly what: string;
}

/** Real things, so that some requests get beyond validation. */
export interface World {
  readonly pictures: readonly Uint8Array<ArrayBuffer>[];
  /** By parameter or property name, and under '' whatever else a text might be. */
  readonly texts: Readonly<Record<string, readonly string[]>>;
  /** For operations whose body is no picture, by path. */
  readonly files: Readonly<Record<string, Uint8Array<ArrayBuffer>>>;
}

export class Generator {
  readonly #document: Document;
  readonly #world: World;
  readonly #validator: (schema: Schema) => ValidateFunction;
  #state: number;

  constructor(
    document: Document,
    world: World,
    validator: (schema: Schema) => ValidateFunction,
    seed: number,
  ) {
    this.#document = document;
    this.#world = world;
    this.#validator = validator;
    this.#state = seed;
  }

  places(): Place[] {
    return Object.entries(this.#document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({
        path,
        method: method.toUpperCase(),
        operation,
      })),
    );
  }

  /** 0 … below 1. */
  random(): number {
    this.#state = (this.#state * 48_271) % 0x7fffffff;
    return this.#state / 0x7fffffff;
  }

  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.random() * items.length)];
  }

  make(place: Place): Made {
    const valid = this.#request(place);
    if (this.random() < 0.5) return { ...valid, place, valid: true, what: 'valid' };
    return this.#spoil(place, valid);
  }

  #request({ path, method, operation }: Place): Pick<Made, 'address' | 'init'> {
    let address = path;
    const query = new URLSearchParams();
    const headers: Record<string, string> = {};
    for (const { name, in: where, required, schema } of operation.parameters ?? []) {
      if (required !== true && this.random() < 0.5) continue;
      const value = String(this.#value(schema, name));
      if (where === 'path') address = address.replace(`{${name}}`, encodeURIComponent(value));
      else if (where === 'query') query.set(name, value);
      else headers[name] = value;
    }
    const body = operation.requestBody === undefined ? {} : this.#body(path, operation.requestBody.content);
    const { type, ...rest } = body;
    if (type !== undefined) headers['content-type'] = type;
    const search = query.size === 0 ? '' : `?${query.toString()}`;
    return { address: address + search, init: { method, headers, ...rest } };
  }

  #body(path: string, content: z.infer<typeof Content>): { body?: BodyInit; type?: string } {
    const [type, { schema = {} }] = this.pick(Object.entries(content));
    if (type === 'application/json') return { type, body: JSON.stringify(this.#value(schema, '')) };
    if (type === 'multipart/form-data') {
      const form = new FormData();
      // Where any field may be, fields are labels.
      const named = Object.keys(z.record(z.string(), Schema).parse(schema['properties'] ?? {}));
      const fields = named.length > 0 ? named : (this.#world.texts['label'] ?? []);
      for (let i = 0; i <= this.random() * 2; i++) {
        form.append(this.pick(fields), new Blob([this.pick(this.#world.pictures)]), `${i}.jpg`);
      }
      return { body: form };
    }
    const bytes = this.#world.files[path] ?? this.#world.files[type] ?? this.pick(this.#world.pictures);
    return { type: type === 'image/*' ? 'image/jpeg' : type, body: bytes };
  }

  /** A value that the schema allows. @throws Error where none was found: then the world lacks an example. */
  #value(schema: Schema, name: string): unknown {
    const resolved = this.#resolve(schema);
    if ('const' in resolved) return resolved['const'];
    if (Array.isArray(resolved['enum'])) return this.pick<unknown>(resolved['enum']);
    const choices = z.array(Schema).safeParse(resolved['oneOf'] ?? resolved['anyOf']);
    if (choices.success) return this.#value(this.pick(choices.data), name);
    const type: unknown = Array.isArray(resolved['type']) ? resolved['type'][0] : resolved['type'];
    if (type === 'object') return this.#object(resolved);
    if (type === 'array') {
      const least = Number(resolved['minItems'] ?? 0);
      const items = Schema.parse(resolved['items'] ?? {});
      const length = Math.min(least + Math.floor(this.random() * 2), Number(resolved['maxItems'] ?? 9));
      const values = Array.from({ length }, () => this.#value(items, name));
      return resolved['uniqueItems'] === true || 'enum' in this.#resolve(items)
        ? [...new Set(values)]
        : values;
    }
    return this.#scalar(resolved, name);
  }

  #object(schema: Schema): Record<string, unknown> {
    const required = z.array(z.string()).parse(schema['required'] ?? []);
    const made: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(
      z.record(z.string(), Schema).parse(schema['properties'] ?? {}),
    )) {
      if (required.includes(name) || this.random() < 0.5) made[name] = this.#value(property, name);
    }
    const more = Schema.safeParse(schema['additionalProperties']);
    if (more.success && Object.keys(more.data).length > 0) made['more'] = this.#value(more.data, '');
    return made;
  }

  #scalar(schema: Schema, name: string): unknown {
    const { texts } = this.#world;
    const pool: unknown[] = [...(texts[name] ?? []), ...texts[''], 1, 2, 50, 0, 0.5, true, false];
    const allows = this.#validator(schema);
    const known = (texts[name] ?? []).filter((value) => allows(value));
    if (known.length > 0 && this.random() < 0.8) return this.pick(known);
    const allowed = pool.filter((value) => allows(value));
    if (allowed.length === 0) throw new Error(`No example for '${name}': ${JSON.stringify(schema)}`);
    return this.pick(allowed);
  }

  #resolve(schema: Schema): Schema {
    const reference = schema['$ref'];
    if (typeof reference !== 'string') return schema;
    return this.#resolve(this.#document.components.schemas[reference.split('/').at(-1) ?? '']);
  }

  #spoil(place: Place, { address, init }: Pick<Made, 'address' | 'init'>): Made {
    const strange = this.pick([
      '',
      '\0',
      '../..',
      '%',
      'ä'.repeat(300),
      '💧',
      '-1',
      '1e9',
      'NaN',
      "';--",
      'x'.repeat(3000),
      '{}',
      '__proto__',
    ]);
    const query = address.includes('?') ? '&' : '?';
    const encoded = encodeURIComponent(strange);
    const { headers } = init;
    const ways: (() => Partial<Made>)[] = [
      () => ({ address: `${address}${query}unheard_of=${encoded}`, what: 'unknown parameter' }),
      () => ({
        address: address.replace(/(\/v1\/[a-z]+\/)[^/?]+/, `$1${encoded || 'UPPER'}`),
        what: 'strange path',
      }),
      () => ({ address: `${address}/${encoded}`, what: 'longer path' }),
      () => ({
        init: { ...init, headers: { ...headers, authorization: `Bearer ${encoded}` } },
        what: 'strange key',
      }),
      () => ({
        init: { ...init, headers: { ...headers, authorization: 'Basic eA==' } },
        what: 'another scheme',
      }),
    ];
    for (const { name, in: where } of place.operation.parameters ?? []) {
      if (where === 'query')
        ways.push(() => ({ address: `${address}${query}${name}=${encoded}`, what: `strange ${name}` }));
    }
    if (init.body !== undefined) {
      const json = (body: string): Partial<Made> => ({
        init: { ...init, headers: { ...headers, 'content-type': 'application/json' }, body },
      });
      ways.push(
        () => ({ init: { method: init.method, headers }, what: 'no body' }),
        () => ({ init: { ...init, body: new Uint8Array([1, 2, 3]) }, what: 'other bytes' }),
        () => ({
          init: { ...init, headers: { ...headers, 'content-type': 'text/html; charset' } },
          what: 'other type',
        }),
        () => ({
          init: { ...init, headers: { ...headers, 'content-type': 'multipart/form-data' } },
          what: 'no boundary',
        }),
        () => ({ ...json('{"image":'), what: 'half of a JSON' }),
        () => ({ ...json('['.repeat(2000)), what: 'nested JSON' }),
        () => ({
          ...json(
            JSON.stringify(
              this.pick<unknown>([
                null,
                [],
                7,
                'x',
                { image: 7 },
                { url: strange },
                { name: strange, scopes: [strange] },
              ]),
            ),
          ),
          what: 'other JSON',
        }),
      );
    }
    return { place, address, init, valid: false, what: '', ...this.pick(ways)() };
  }
}
