/**
 * What the stores hold and under which names; docs/storage.md says the same in prose. KV is a cache of what the
 * tenant's Durable Object knows and is written by it alone. R2 objects are immutable: a name never gets other content.
 */
import { z } from 'zod';
import { Scope } from '../../src/api/index.ts';

/** KV: who a key is. The name is the key's SHA-256. */
export const keyEntryName = (keyHash: string): string => `key/${keyHash}`;

export const KeyEntry = z.object({ tenant: z.string(), id: z.string(), scopes: z.array(Scope) });
export type KeyEntry = z.infer<typeof KeyEntry>;

/** KV: that there is such a tenant. */
export const tenantEntryName = (tenant: string): string => `tenant/${tenant}`;

export const TenantEntry = z.object({});

/** KV: which versions a head has. */
export const pointerName = (tenant: string, head: string): string => `head/${tenant}/${head}`;

/** `revision` counts a head's changes, so that an older copy is known as such. A deleted head has no current version. */
export const Pointer = z.object({
  revision: z.int(),
  current: z.int().nullable(),
  /** SHA-256 of the head file by version. */
  versions: z.record(z.string(), z.string()),
  /** Versions by the names they were given. */
  names: z.record(z.string(), z.int()).default({}),
  /** Answers a share of the requests that name no version. */
  canary: z.object({ version: z.int(), percent: z.int() }).nullable().default(null),
  /** Answers silently beside the current version. */
  shadow: z.int().nullable().default(null),
  /** Whether uncertain predictions are kept for review. */
  capture: z.boolean().default(false),
});
export type Pointer = z.infer<typeof Pointer>;

/** Where all head files of a tenant are. */
export const headFolder = (tenant: string): string => `heads/${tenant}/`;

/** Where the pictures of all of a tenant's examples are. */
export const imageFolder = (tenant: string): string => `images/${tenant}/`;

/** R2: the picture of an example, where the tenant keeps them. */
export const imageObjectName = (tenant: string, head: string, image: string): string =>
  `${imageFolder(tenant)}${head}/${image}`;

/** R2: a head file. */
export const headObjectName = (tenant: string, head: string, version: number, sha256: string): string =>
  `${headFolder(tenant)}${head}/${version}-${sha256}.safetensors`;

/** The SHA-256 that a head file's name says. */
export const headFileHash = (objectName: string): string =>
  objectName.slice(objectName.lastIndexOf('-') + 1, -'.safetensors'.length);
