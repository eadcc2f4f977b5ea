/**
 * The check value at the end of a key: a MAC under a secret of the deployment, HEADWATER_KEY_SECRET. It shows that a key was
 * guessed before any store is read. The secret holds one value, or several separated by commas: the first makes check values,
 * all are accepted, so that a new one can be put before the old. Where there is none, keys are made without a check value.
 */
import { newApiKey, newKeyId, sha256Hex, splitKey } from './api-key.ts';
import type { Env } from '../env.ts';

/** 96 bits: 16 letters of base64, and nothing that could be guessed. */
export const CHECK_BYTES = 12;

type Secret = Pick<Env, 'HEADWATER_KEY_SECRET'>;

/** `forged`: nobody made it. `unchecked`: it has no check value, or there is no secret to check it with. */
export type Checked = 'genuine' | 'forged' | 'unchecked';

/** A new key of a tenant, and what is kept of it. */
export async function newKey(env: Secret, tenant: string) {
  const key = await withCheck(env, newApiKey(tenant));
  return { key, kept: { id: newKeyId(), hash: await sha256Hex(key) } };
}

/** The key with its check value, where the deployment has a secret. */
export async function withCheck(env: Secret, key: string): Promise<string> {
  const [secret] = secretsOf(env);
  if (secret === undefined) return key;
  const check = await checkValue(secret, key);
  return `${key}_${check.toBase64({ alphabet: 'base64url', omitPadding: true })}`;
}

/** @param key of the form that keys have. */
export async function checkKey(env: Secret, key: string): Promise<Checked> {
  const { base, check } = splitKey(key);
  const secrets = secretsOf(env);
  if (check === undefined || secrets.length === 0) return 'unchecked';
  const given = Uint8Array.fromBase64(check, { alphabet: 'base64url' });
  for (const secret of secrets) {
    if (crypto.subtle.timingSafeEqual(given, await checkValue(secret, base))) return 'genuine';
  }
  return 'forged';
}

function secretsOf({ HEADWATER_KEY_SECRET = '' }: Secret): string[] {
  return HEADWATER_KEY_SECRET.split(',')
    .map((secret) => secret.trim())
    .filter((secret) => secret !== '');
}

async function checkValue(secret: string, base: string): Promise<Uint8Array> {
  const encoder = new TextEncoder();
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const mac = await crypto.subtle.sign('HMAC', key, encoder.encode(base));
  return new Uint8Array(mac, 0, CHECK_BYTES);
}
