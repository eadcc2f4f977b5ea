/** The deployment itself, and whether it answers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { wrangler } from '../wrangler.ts';
import type { Settings } from './settings.ts';

const DEPLOY_TIMEOUT_MS = 600_000;
/** A new address takes a while until every place knows it. */
const HEALTH_ATTEMPTS = 20;
const HEALTH_PAUSE_MS = 3_000;

/**
 * wrangler makes the bucket and the namespace that are missing, and sets the secrets with the upload, so that there is no
 * moment at which the Worker runs without them.
 * @returns the Worker's address, where wrangler told one. @throws Error in wrangler's words.
 */
export async function deploy(
  { env }: Settings,
  given: ReadonlyMap<string, string>,
): Promise<URL | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'headwater-'));
  try {
    const file = join(folder, 'secrets.json');
    if (given.size > 0) writeFileSync(file, JSON.stringify(Object.fromEntries(given)), { mode: 0o600 });
    const secrets = given.size === 0 ? [] : ['--secrets-file', file];
    const { code, stdout, stderr } = await wrangler(['deploy', '--env', env, ...secrets], DEPLOY_TIMEOUT_MS);
    console.error(`${stdout}${stderr}`.trim());
    if (code !== 0) throw new Error('wrangler did not deploy: see above. Nothing else was done.');
    const address = /\bhttps:\/\/[a-z0-9.-]{1,253}\.workers\.dev\b/.exec(stdout)?.[0];
    return address === undefined ? undefined : new URL(address);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @returns whether /healthz answers within a minute. */
export async function isHealthy(url: URL): Promise<boolean> {
  for (let attempt = 1; attempt <= HEALTH_ATTEMPTS; attempt++) {
    try {
      const answer = await fetch(new URL('/healthz', url));
      await answer.arrayBuffer();
      if (answer.ok) return true;
    } catch {
      // Not known yet.
    }
    await wait(HEALTH_PAUSE_MS);
  }
  return false;
}
