/** What the account at Cloudflare holds already, asked through wrangler. */
import { z } from 'zod';
import { wrangler } from '../wrangler.ts';
import { type Check, made, note, ok, unknown, wrong } from './check.ts';
import type { Settings } from './settings.ts';

export const SECRET = 'HEADWATER_ADMIN_SECRET';
export const KEY_SECRET = 'HEADWATER_KEY_SECRET';
/** 24 random bytes in base64. */
const MIN_SECRET_LENGTH = 32;

const Identity = z.object({
  loggedIn: z.literal(true),
  email: z.string().optional(),
  accounts: z.array(z.object({ id: z.string(), name: z.string() })),
});
const Namespaces = z.array(z.object({ id: z.string(), title: z.string() }));
const Secrets = z.array(z.object({ name: z.string() }));

/**
 * Login, account, bucket, namespace and secret. What can't be asked is `unknown`.
 * @param given secrets that the deployment sets, from the environment, by their names.
 */
export async function checkAccount(settings: Settings, given: ReadonlyMap<string, string>): Promise<Check[]> {
  const secret = given.get(SECRET);
  const keySecret = given.get(KEY_SECRET);
  const login = await checkLogin();
  if (login.state !== 'ok')
    return [login, checkSecret(undefined, secret), checkKeySecret(undefined, keySecret)];
  const secrets = await readSecrets(settings);
  return [
    login,
    await checkBucket(settings, secrets !== undefined),
    await checkNamespace(settings, secrets !== undefined),
    checkSecret(secrets ?? [], secret),
    checkKeySecret(secrets ?? [], keySecret),
  ];
}

async function checkLogin(): Promise<Check> {
  const { code, stdout, stderr } = await wrangler(['whoami', '--json']);
  const identity = Identity.safeParse(parsed(stdout));
  if (code !== 0 || !identity.success) {
    return /resolve|network|fetch failed|timed? ?out/i.test(stderr)
      ? unknown('login', 'Cloudflare can’t be reached', 'Check the network and a proxy.')
      : unknown('login', 'nobody is logged in', 'npx wrangler login, or set CLOUDFLARE_API_TOKEN.');
  }
  const { email, accounts } = identity.data;
  const chosen = process.env['CLOUDFLARE_ACCOUNT_ID'];
  const account = chosen === undefined ? accounts[0] : accounts.find(({ id }) => id === chosen);
  if (account === undefined)
    return wrong('login', `${email ?? 'the token'} has no such account`, 'Look at CLOUDFLARE_ACCOUNT_ID.');
  if (chosen === undefined && accounts.length > 1) {
    const list = accounts.map(({ id, name }) => `${id} (${name})`).join(', ');
    return wrong('login', 'several accounts', `Set CLOUDFLARE_ACCOUNT_ID to one of ${list}.`);
  }
  return ok('login', `${email ?? 'API token'}, account ${account.name}`);
}

/** @returns undefined where the Worker was never deployed. */
async function readSecrets({ env }: Settings): Promise<string[] | undefined> {
  const { code, stdout } = await wrangler(['secret', 'list', '--format', 'json', '--env', env]);
  const secrets = Secrets.safeParse(parsed(stdout));
  return code === 0 && secrets.success ? secrets.data.map(({ name }) => name) : undefined;
}

async function checkBucket({ bucket, bucketNamed, env }: Settings, deployed: boolean): Promise<Check> {
  const { code, stdout, stderr } = await wrangler(['r2', 'bucket', 'list', '--env', env]);
  if (code !== 0) {
    return wrong(
      'R2 bucket',
      'the buckets could not be listed',
      `R2 is switched on once for an account, in Cloudflare’s dashboard. wrangler said: ${lastLine(stderr)}`,
    );
  }
  const names = [...stdout.matchAll(/^name:\s+(\S+)/gm)].map(([, name]) => name);
  if (!names.includes(bucket)) return made('R2 bucket', `${bucket} will be created`);
  if (deployed || bucketNamed) return ok('R2 bucket', bucket);
  const fix = `Write bucket_name = "${bucket}" below its binding to use it.`;
  return wrong('R2 bucket', `${bucket} exists, but this Worker was never deployed`, fix);
}

async function checkNamespace(settings: Settings, deployed: boolean): Promise<Check> {
  const { namespace, namespaceId, env } = settings;
  const { code, stdout, stderr } = await wrangler(['kv', 'namespace', 'list', '--env', env]);
  const list = Namespaces.safeParse(parsed(stdout));
  if (code !== 0 || !list.success)
    return unknown('KV namespace', `the namespaces could not be listed: ${lastLine(stderr)}`);
  if (namespaceId !== undefined) {
    return list.data.some(({ id }) => id === namespaceId)
      ? ok('KV namespace', namespaceId)
      : wrong('KV namespace', `there is none with the id ${namespaceId}`, 'Remove the id, and one is made.');
  }
  const found = list.data.find(({ title }) => title === namespace);
  if (found === undefined) return made('KV namespace', `${namespace} will be created`);
  if (deployed) return ok('KV namespace', namespace);
  const fix = `Write id = "${found.id}" below its binding to use it.`;
  return wrong('KV namespace', `${namespace} exists, but this Worker was never deployed`, fix);
}

/** @param present the Worker's secrets; undefined where they could not be asked. */
export function checkSecret(present: readonly string[] | undefined, given: string | undefined): Check {
  const fix = `export ${SECRET}=$(openssl rand -base64 32), and keep it: it creates tenants.`;
  if (given !== undefined && given.length < MIN_SECRET_LENGTH) {
    return wrong('secret', `${SECRET} has ${given.length} characters, fewer than ${MIN_SECRET_LENGTH}`, fix);
  }
  if (present?.includes(SECRET) === true) {
    return given === undefined
      ? ok('secret', `${SECRET} is set`)
      : made('secret', `${SECRET} is set, and will be replaced by the one in the environment`);
  }
  if (given !== undefined) return made('secret', `${SECRET} will be set from the environment`);
  return present === undefined
    ? unknown('secret', `whether ${SECRET} is set could not be asked`)
    : wrong('secret', `${SECRET} is not set`, fix);
}

/**
 * Optional: without it keys are made without a check value.
 * @param present as for checkSecret. @param given one value, or several separated by commas.
 */
export function checkKeySecret(present: readonly string[] | undefined, given: string | undefined): Check {
  const name = 'key secret';
  const short = given?.split(',').find((value) => value.trim().length < MIN_SECRET_LENGTH);
  if (short !== undefined) {
    const what = `${KEY_SECRET} holds a value of fewer than ${MIN_SECRET_LENGTH} characters`;
    return wrong(name, what, `export ${KEY_SECRET}=$(openssl rand -base64 32), and keep it.`);
  }
  if (present?.includes(KEY_SECRET) === true) {
    return given === undefined
      ? ok(name, `${KEY_SECRET} is set`)
      : made(
          name,
          `${KEY_SECRET} will be replaced; keys made under a value that is not in the new list stop working`,
        );
  }
  if (given !== undefined) return made(name, `${KEY_SECRET} will be set from the environment`);
  return note(
    name,
    present === undefined
      ? `whether ${KEY_SECRET} is set could not be asked`
      : `${KEY_SECRET} is not set: keys carry no check value, so that guessed ones cost reads of the stores`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
