/**
 * The form of an API key: hw_<tenant id>_<secret>_<check value>. Older keys, and those of a deployment without
 * HEADWATER_KEY_SECRET, end with the secret: key-check.ts. A key names its tenant, so that the tenant's Durable Object can be called
 * without an index of all keys, and `hw_` lets secret scanners find it. Only the SHA-256 of the whole is ever stored; the
 * secret's 256 random bits make a slow hash needless.
 */
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';
const TENANT_ID_CHARACTERS = 16;
const KEY_ID_CHARACTERS = 16;
const SECRET_BYTES = 32;
const FORM = /^(hw_([a-z2-7]{16})_[A-Za-z0-9_-]{43})(?:_([A-Za-z0-9_-]{16}))?$/;

export const newTenantId = (): string => randomText(TENANT_ID_CHARACTERS);
export const newKeyId = (): string => randomText(KEY_ID_CHARACTERS);

/** Without its check value. */
export function newApiKey(tenant: string): string {
  const secret = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return `hw_${tenant}_${secret.toBase64({ alphabet: 'base64url', omitPadding: true })}`;
}

/** The tenant that a key names, or undefined where the text has not the form of a key. */
export function tenantOf(key: string): string | undefined {
  return FORM.exec(key)?.[2];
}

/** A key without its check value, and that value where it has one. @param key of the form that keys have. */
export function splitKey(key: string): { readonly base: string; readonly check: string | undefined } {
  const [, base, , check] = FORM.exec(key) ?? [undefined, key];
  return { base, check };
}

/** SHA-256, lower-case hex. */
export async function sha256Hex(data: string | Uint8Array): Promise<string> {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
}

/** Whether two secrets are equal, in a time that tells nothing about where they differ or how long they are. */
export async function secretsEqual(a: string, b: string): Promise<boolean> {
  const encoder = new TextEncoder();
  const [left, right] = await Promise.all(
    [a, b].map((text) => crypto.subtle.digest('SHA-256', encoder.encode(text))),
  );
  return crypto.subtle.timingSafeEqual(left, right);
}

/** 5 random bits a character. */
function randomText(characters: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(characters)), (byte) => BASE32[byte & 31]).join('');
}
