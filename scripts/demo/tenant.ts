/** The demo's tenant: made on the first start, kept with its key in the state folder, used again by later ones. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';

const Secrets = z.object({ adminSecret: z.string().min(1), key: z.string().optional() });
export type Secrets = z.infer<typeof Secrets>;

/** Reads the secrets of an earlier start, or makes an admin secret. */
export function readSecrets(file: string): Secrets {
  if (existsSync(file)) {
    const parsed = Secrets.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
  }
  const fresh = { adminSecret: randomBytes(24).toString('base64url') };
  writeSecrets(file, fresh);
  return fresh;
}

/** @returns a key that the Worker accepts: the kept one if it still does, else that of a new tenant. */
export async function demoKey(url: URL, file: string, secrets: Secrets): Promise<string> {
  if (secrets.key !== undefined) {
    const answer = await fetch(new URL('/v1/heads', url), {
      headers: { authorization: `Bearer ${secrets.key}` },
    });
    await answer.arrayBuffer();
    if (answer.ok) return secrets.key;
  }
  const key = await newTenant(url, secrets.adminSecret, 'demo');
  writeSecrets(file, { ...secrets, key });
  return key;
}

/** @returns the key of a tenant that is made for it. @throws Error in the Worker's words. */
export async function newTenant(url: URL, adminSecret: string, name: string): Promise<string> {
  const answer = await fetch(new URL('/v1/tenants', url), {
    method: 'POST',
    headers: { authorization: `Bearer ${adminSecret}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(`The Worker did not make the tenant ${name}: ${await answer.text()}`);
  return z.object({ key: z.string() }).parse(await answer.json()).key;
}

function writeSecrets(file: string, secrets: Secrets): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`);
  chmodSync(file, 0o600);
}
