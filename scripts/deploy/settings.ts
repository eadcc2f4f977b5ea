/** One environment of wrangler.toml: what it is called, and whether it has all that the Worker needs. */
import { unstable_readConfig } from 'wrangler';
import { z } from 'zod';
import { UsageError } from '../command.ts';
import { type Check, ok, wrong } from './check.ts';

/** The top level of wrangler.toml; the others are its [env.…]. */
export const PRODUCTION = 'production';

export interface Settings {
  readonly environment: string;
  /** What wrangler calls it: '' is the top level. */
  readonly env: string;
  readonly worker: string;
  readonly bucket: string;
  /** Whether wrangler.toml names it; else wrangler makes it of the Worker's name. */
  readonly bucketNamed: boolean;
  readonly namespace: string;
  /** Of the KV namespace, where wrangler.toml has it. */
  readonly namespaceId: string | undefined;
  /** Namespaces of the rate limits. */
  readonly rateLimits: readonly string[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** Bindings that the Worker needs and this environment lacks. */
  readonly missing: readonly string[];
}

/** Of what wrangler reads, what is looked at here. */
const Config = z.object({
  name: z.string(),
  definedEnvironments: z.array(z.string()).default([]),
  compatibility_date: z.string(),
  compatibility_flags: z.array(z.string()),
  r2_buckets: z.array(z.object({ binding: z.string(), bucket_name: z.string().optional() })),
  kv_namespaces: z.array(z.object({ binding: z.string(), id: z.string().optional() })),
  durable_objects: z.object({ bindings: z.array(z.object({ name: z.string() })) }),
  ratelimits: z.array(z.object({ name: z.string(), namespace_id: z.string() })),
});

function read(config: string, env: string): z.infer<typeof Config> {
  return Config.parse(unstable_readConfig({ config, env }, { hideWarnings: true }));
}

/** @throws UsageError that names the environments when there is no such one; Error in wrangler's words. */
export function readSettings(config: string, environment: string): Settings {
  const known = [PRODUCTION, ...read(config, '').definedEnvironments];
  if (!known.includes(environment))
    throw new UsageError(`wrangler.toml has no environment '${environment}'. One of: ${known.join(', ')}.`);
  const env = environment === PRODUCTION ? '' : environment;
  const found = read(config, env);
  const bucket = found.r2_buckets.find(({ binding }) => binding === 'HEADS');
  const namespace = found.kv_namespaces.find(({ binding }) => binding === 'POINTERS');
  const tenants = found.durable_objects.bindings.find(({ name }) => name === 'TENANTS');
  const needed = { HEADS: bucket, POINTERS: namespace, TENANTS: tenants };
  return {
    environment,
    env,
    worker: found.name,
    bucket: bucket?.bucket_name ?? `${found.name}-heads`,
    bucketNamed: bucket?.bucket_name !== undefined,
    namespace: `${found.name}-pointers`,
    namespaceId: namespace?.id,
    rateLimits: found.ratelimits.map(({ namespace_id: id }) => id),
    compatibilityDate: found.compatibility_date,
    compatibilityFlags: found.compatibility_flags,
    missing: Object.entries(needed).flatMap(([name, value]) => (value === undefined ? [name] : [])),
  };
}

/** All environments, this one first. @throws Error as readSettings does. */
export function readAllSettings(config: string, environment: string): Settings[] {
  const first = readSettings(config, environment);
  const others = [PRODUCTION, ...read(config, '').definedEnvironments].filter((name) => name !== environment);
  return [first, ...others.map((name) => readSettings(config, name))];
}

export function checkBindings([settings, ...others]: readonly Settings[]): Check {
  const name = 'bindings';
  const section = settings.env === '' ? 'wrangler.toml' : `[env.${settings.env}] of wrangler.toml`;
  if (settings.missing.length > 0) {
    const missing = settings.missing.join(', ');
    return wrong(name, `${section} lacks ${missing}`, 'Environments inherit no bindings: repeat them there.');
  }
  for (const other of others) {
    const shared = sharedNames(settings, other);
    if (shared.length > 0) {
      const what = `${settings.environment} and ${other.environment} share ${shared.join(' and ')}`;
      return wrong(name, what, 'Give each environment names and ids of its own.');
    }
  }
  return ok(name, `HEADS, POINTERS and TENANTS, shared with no other environment`);
}

function sharedNames(a: Settings, b: Settings): string[] {
  const pairs = [
    ['the Worker’s name', a.worker, b.worker],
    ['the bucket', a.bucket, b.bucket],
    ['the KV namespace', a.namespaceId, b.namespaceId],
  ] as const;
  const shared = pairs.flatMap(([what, mine, theirs]) =>
    mine !== undefined && mine === theirs ? [`${what} ${mine}`] : [],
  );
  const limits = a.rateLimits.filter((id) => b.rateLimits.includes(id));
  return [...shared, ...limits.map((id) => `the rate limit’s namespace ${id}`)];
}

/** From this date on `nodejs_compat` is on by default, with which TensorFlow.js's WASM glue dies. */
const NODE_BY_DEFAULT = '2026-08-04';

export function checkCompatibility(
  { compatibilityDate, compatibilityFlags }: Settings,
  today: string,
): Check {
  const name = 'compatibility';
  if (compatibilityFlags.includes('nodejs_compat')) {
    return wrong(
      name,
      'nodejs_compat is on, with which the WASM glue takes the Worker for Node',
      'Remove it from compatibility_flags.',
    );
  }
  if (compatibilityDate >= NODE_BY_DEFAULT && !compatibilityFlags.includes('no_nodejs_compat')) {
    return wrong(
      name,
      `compatibility_date ${compatibilityDate} switches nodejs_compat on`,
      `Stay before ${NODE_BY_DEFAULT}, or add "no_nodejs_compat" to compatibility_flags.`,
    );
  }
  if (compatibilityDate > today)
    return wrong(name, `compatibility_date ${compatibilityDate} lies ahead`, `${today} is the latest.`);
  return ok(name, `date ${compatibilityDate}, without nodejs_compat`);
}
