/** From an operation to a change with its choices made, and the request that asks for it. */
import type { Material } from './material.ts';
import type { Change } from './model.ts';
import type { Operation } from './operations.ts';
import { isThere, type Head, type State } from './state.ts';

export interface Call {
  readonly change: Change;
  readonly method: string;
  readonly path: string;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What calls are made of beside the state. */
export interface Source {
  readonly material: Material;
  /** Head files by their SHA-256: of versions, to be uploaded once more. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
  /** Names that were never used. */
  readonly freshName: () => string;
  /** The last keyed teach request. */
  readonly last: Call | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json' };
/** An id that nothing has. */
const NO_ID = 'aaaaaaaaaaaaaaaa';
/** A number that no version has. */
const NO_VERSION = 99_999;

/** @returns undefined where the operation makes no sense now. */
export async function callOf(operation: Operation, state: State, source: Source): Promise<Call | undefined> {
  if (operation.kind === 'repeat') return source.last;
  if (!('head' in operation)) return tenantCall(operation, state, source);
  const head = state.heads[operation.head];
  const path = `/v1/heads/${operation.head}`;
  switch (operation.kind) {
    case 'teach':
      // On top of a head that was uploaded, codes would be that head's: another matter.
      return head.taught === undefined && isThere(head) ? undefined : teachCall(operation, path, source);
    case 'forget': {
      const [picture, id] = exampleOf(head, operation.nth);
      return { change: { ...operation, picture }, method: 'DELETE', path: `${path}/examples/${id}` };
    }
    case 'forget class':
      return { change: operation, method: 'DELETE', path: `${path}/classes/${operation.label}` };
    case 'relabel': {
      const [picture, id] = exampleOf(head, operation.nth);
      const change = { ...operation, picture };
      return json(change, 'PATCH', `${path}/examples/${id}`, { label: operation.label });
    }
    case 'train':
      return { change: operation, method: 'POST', path: `${path}/train` };
    case 'upload':
      return uploadCall(operation, head, path, source);
    case 'activate':
    case 'shadow':
    case 'name':
    case 'unname':
    case 'delete version':
    case 'delete head':
    case 'configure head':
      return routingCall(operation, head, path);
  }
}

type OfKind<K> = Extract<Operation, { kind: K }>;

function teachCall(
  { head, train, keyed, codes, pictures }: OfKind<'teach'>,
  path: string,
  { material, freshName }: Source,
): Call {
  const key = keyed ? freshName() : undefined;
  const examples = [...codes.map((i) => material.code(i)), ...pictures.map((i) => material.picture(i))];
  const { name, version, weightsSha256: weights_sha256, codeLength: _length, ...space } = material.origin;
  const body = {
    backbone: { name, version, weights_sha256 },
    space,
    examples: [
      ...codes.map((i) => ({
        ...material.codes[i],
        code: base64(material.codes[i].bytes),
        bytes: undefined,
      })),
      ...pictures.map((i) => ({
        label: material.picture(i).label,
        image: base64(material.pictures[i].bytes),
      })),
    ],
  };
  const change: Change = { kind: 'teach', head, examples, train, key };
  const call = json(change, 'POST', `${path}/teach${train ? '' : '?train=false'}`, body);
  return key === undefined ? call : { ...call, headers: { ...JSON_TYPE, 'idempotency-key': key } };
}

async function uploadCall(
  { kind, head: name, which }: OfKind<'upload'>,
  head: Head,
  path: string,
  { material, files }: Source,
): Promise<Call | undefined> {
  // Now and then a version that is there comes again.
  const known = which >= 3 ? files.get(Object.values(head.versions)[0]?.sha256) : undefined;
  const trained = await material.upload(which);
  const body = known ?? trained.bytes;
  const hash = known === undefined ? trained.sha256 : Object.values(head.versions)[0].sha256;
  const change: Change = { kind, head: name, sha256: hash };
  return { change, method: 'PUT', path, body, headers: { 'content-type': 'application/octet-stream' } };
}

function routingCall(
  operation: OfKind<
    'activate' | 'shadow' | 'name' | 'unname' | 'delete version' | 'delete head' | 'configure head'
  >,
  head: Head,
  path: string,
): Call {
  const version = 'nth' in operation && operation.nth !== null ? versionOf(head, operation.nth) : NO_VERSION;
  switch (operation.kind) {
    case 'activate': {
      const { percent } = operation;
      return json({ ...operation, version }, 'POST', `${path}/versions/${version}/activate`, { percent });
    }
    case 'shadow':
      return operation.nth === null
        ? { change: { ...operation, version: null }, method: 'DELETE', path: `${path}/shadow` }
        : json({ ...operation, version }, 'PUT', `${path}/shadow`, { version });
    case 'name':
      return json({ ...operation, version }, 'PUT', `${path}/names/${operation.name}`, { version });
    case 'unname':
      return { change: operation, method: 'DELETE', path: `${path}/names/${operation.name}` };
    case 'delete version':
      return { change: { ...operation, version }, method: 'DELETE', path: `${path}/versions/${version}` };
    case 'configure head':
      return json(operation, 'PUT', `${path}/settings`, operation.settings);
    case 'delete head':
      return { change: operation, method: 'DELETE', path };
  }
}

function tenantCall(
  operation: OfKind<'keep images' | 'create key' | 'rotate key' | 'revoke key'>,
  state: State,
  { freshName }: Source,
): Call {
  switch (operation.kind) {
    case 'keep images':
      return json(operation, 'PUT', '/v1/settings', { keep_images: operation.keep });
    case 'create key': {
      const { scopes } = operation;
      const name = freshName();
      return json({ kind: 'create key', name, scopes }, 'POST', '/v1/keys', { name, scopes });
    }
    case 'rotate key':
    case 'revoke key': {
      // The first key is the one that all these requests are sent with.
      const ids = state.keys.slice(1).flatMap(({ id }) => id ?? []);
      const id = ids[operation.nth % (ids.length + 1)] ?? NO_ID;
      return operation.kind === 'rotate key'
        ? { change: { kind: 'rotate key', id }, method: 'POST', path: `/v1/keys/${id}/rotate` }
        : { change: { kind: 'revoke key', id }, method: 'DELETE', path: `/v1/keys/${id}` };
    }
  }
}

function json(change: Change, method: string, path: string, body: object): Call {
  return { change, method, path, body: JSON.stringify(body), headers: JSON_TYPE };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** An example's picture and its id. */
function exampleOf({ examples }: Head, nth: number): [string, string] {
  const all = Object.entries(examples).sort(([a], [b]) => (a < b ? -1 : 1));
  if (all.length === 0) return ['', NO_ID];
  const [picture, { identity }] = all[nth % all.length];
  return [picture, identity?.split(' ')[0] ?? NO_ID];
}

function versionOf({ versions }: Head, nth: number): number {
  const numbers = [...Object.keys(versions).map(Number), NO_VERSION];
  return numbers[nth % numbers.length];
}
