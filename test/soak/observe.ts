/** Reads all that a tenant tells of itself, in the form in which the model holds it. */
import { z } from 'zod';
import {
  ExampleList,
  HeadDetail,
  HeadSettings,
  KeyList,
  Routing,
  TenantSettings,
} from '../../src/api/index.ts';
import { sha256 } from './material.ts';
import { HEADS, type Head } from './state.ts';

/** A tenant's calls. */
export type SendRequest = (path: string, init?: RequestInit) => Promise<Response>;

export interface ObservedHead extends Pick<Head, 'current' | 'canary' | 'shadow' | 'names'> {
  /** Undefined where there is no such head. */
  readonly settings: Head['settings'] | undefined;
  /** Identity is '' where only the file could be read. */
  readonly versions: Readonly<Record<number, { readonly sha256: string; readonly identity: string }>>;
  /** Undefined where it was never taught. */
  readonly examples: Readonly<Record<string, ObservedExample>> | undefined;
  readonly detail: HeadDetail | undefined;
}

export interface ObservedExample {
  readonly label: string;
  readonly source: string;
  readonly image: boolean;
  readonly identity: string;
}

export interface Observed {
  readonly keepImages: boolean;
  readonly keys: readonly { id: string; name: string; scopes: string[]; revoked: boolean }[];
  readonly heads: Readonly<Record<string, ObservedHead>>;
}

const HeadPage = z.object({
  heads: z.array(
    z.object({
      head: z.string(),
      version: z.int(),
      classes: z.int(),
      versions: z.int(),
      created_at: z.string(),
    }),
  ),
  next: z.string().optional(),
});
/** Small, so that there are several. */
const PAGE = 7;

/** @param numbers of versions that may be there, where a head doesn't list them. */
export async function observe(
  send: SendRequest,
  numbers: (head: string) => readonly number[],
): Promise<Observed> {
  const settings = TenantSettings.parse(await read(send, '/v1/settings'));
  const { keys } = KeyList.parse(await read(send, '/v1/keys'));
  const heads = Object.fromEntries(
    await Promise.all(
      HEADS.map(async (head) => [head, await observeHead(send, head, numbers(head))] as const),
    ),
  );
  assertListed(heads, await listed(send));
  return {
    keepImages: settings.keep_images,
    keys: keys.map(({ id, name, scopes, revoked_at: at }) => ({
      id,
      name,
      scopes,
      revoked: at !== undefined,
    })),
    heads,
  };
}

async function observeHead(
  send: SendRequest,
  head: string,
  numbers: readonly number[],
): Promise<ObservedHead> {
  const path = `/v1/heads/${head}`;
  const found = await lookUp(send, path);
  const detail = found === undefined ? undefined : HeadDetail.parse(found);
  const routed = await lookUp(send, `${path}/routing`);
  const routing = routed === undefined ? undefined : Routing.parse(routed);
  const chosen = await lookUp(send, `${path}/settings`);
  if (routing !== undefined && routing.version !== (detail?.version ?? null))
    throw new Error(`${head}: routing says version ${routing.version}, the head ${detail?.version}`);
  const listedVersions = detail?.versions.map(
    (version) => [version.version, { sha256: version.sha256, identity: version.created_at }] as const,
  );
  const { canary, shadow, names } = routing ?? { canary: undefined, shadow: undefined, names: {} };
  return {
    current: routing?.version ?? null,
    canary: canary ?? null,
    shadow: shadow?.version ?? null,
    names,
    settings: chosen === undefined ? undefined : HeadSettings.parse(chosen),
    versions: Object.fromEntries(
      listedVersions ?? (routing === undefined ? [] : await tried(send, path, numbers)),
    ),
    examples: await examplesOf(send, path),
    detail,
  };
}

/** Versions of a head that has no current one are not listed, but those with names can be downloaded. */
async function tried(send: SendRequest, path: string, numbers: readonly number[]) {
  const found: (readonly [number, { sha256: string; identity: string }])[] = [];
  for (const number of numbers) {
    const answer = await send(`${path}/versions/${number}`);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    if (answer.status === 200) found.push([number, { sha256: sha256(bytes), identity: '' }]);
  }
  return found;
}

async function examplesOf(
  send: SendRequest,
  path: string,
): Promise<Record<string, ObservedExample> | undefined> {
  const examples: Record<string, ObservedExample> = {};
  let count = 0;
  let after = '';
  for (;;) {
    const found = await lookUp(send, `${path}/examples?limit=${PAGE}${after}`);
    if (found === undefined) return undefined;
    const page = ExampleList.parse(found);
    for (const { id, picture, label, source, has_image: image, created_at: at } of page.examples)
      examples[picture] = { label, source, image, identity: `${id} ${at}` };
    count += page.examples.length;
    if (page.next !== undefined) {
      after = `&after=${page.next}`;
      continue;
    }
    if (page.total !== count || Object.keys(examples).length !== count)
      throw new Error(`${path}: ${count} examples are listed of ${page.total}, or one twice`);
    return examples;
  }
}

async function listed(send: SendRequest) {
  const heads: z.infer<typeof HeadPage>['heads'] = [];
  let after = '';
  for (;;) {
    const page = HeadPage.parse(await read(send, `/v1/heads${after}`));
    heads.push(...page.heads);
    if (page.next === undefined) return heads;
    after = `?after=${encodeURIComponent(page.next)}`;
  }
}

const text = (rows: readonly (readonly unknown[])[]): string => JSON.stringify(rows.map(String).sort());

/** The list must say what the heads say themselves. */
function assertListed(heads: Record<string, ObservedHead>, list: Awaited<ReturnType<typeof listed>>): void {
  const expected = Object.values(heads).flatMap(({ detail }) =>
    detail === undefined
      ? []
      : [[detail.head, detail.version, detail.classes.length, detail.versions.length, detail.created_at]],
  );
  const found = list.map((each) => [each.head, each.version, each.classes, each.versions, each.created_at]);
  if (text(found) !== text(expected))
    throw new Error(`GET /v1/heads lists ${text(found)}, the heads themselves say ${text(expected)}`);
}

async function read(send: SendRequest, path: string): Promise<unknown> {
  const found = await lookUp(send, path);
  if (found === undefined) throw new Error(`GET ${path} was answered 404`);
  return found;
}

/** @returns undefined for a 404. */
async function lookUp(send: SendRequest, path: string): Promise<unknown> {
  const answer = await send(path);
  const text = await answer.text();
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw new Error(`GET ${path} was answered ${answer.status}: ${text}`);
  return JSON.parse(text);
}
