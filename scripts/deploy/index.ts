/** `npm run deploy`: looks whether the Worker can go to Cloudflare, and with --for-real sends it. */
import { join } from 'node:path';
import { checkAccount, KEY_SECRET, SECRET } from './account.ts';
import { checkBundle } from './bundle.ts';
import { type Check, describeCheck } from './check.ts';
import { deploy, isHealthy } from './send.ts';
import { checkBindings, checkCompatibility, PRODUCTION, readAllSettings, type Settings } from './settings.ts';
import { root } from '../build/stale.ts';
import { command } from '../command.ts';

const USAGE = `Usage: npm run deploy -- [--env NAME] [--for-real]

  --env NAME  environment of wrangler.toml: ${PRODUCTION} (its top level, default) or an [env.NAME]
  --for-real  deploys, after the same checks; without it nothing is sent or changed

${SECRET} and ${KEY_SECRET} in the environment become the Worker's secrets.`;

const options = {
  env: { type: 'string', default: PRODUCTION },
  'for-real': { type: 'boolean', default: false },
} as const;

await command(USAGE, options, async ({ env, 'for-real': isForReal }) => {
  const all = readAllSettings(join(root, 'wrangler.toml'), env);
  const secrets = givenSecrets();
  const [settings] = all;
  console.log(`${settings.worker} (${settings.environment})\n`);
  const checks = [
    checkBindings(all),
    checkCompatibility(settings, new Date().toISOString().slice(0, 10)),
    ...(await checkBundle(settings)),
    ...(await checkAccount(settings, secrets)),
  ];
  for (const check of checks) console.log(describeCheck(check));
  return isForReal ? await forReal(settings, checks, secrets) : dryRun(settings, checks);
});

/** What the environment has of them. */
function givenSecrets(): ReadonlyMap<string, string> {
  return new Map(
    [SECRET, KEY_SECRET].flatMap((name) => {
      const value = process.env[name] ?? '';
      return value === '' ? [] : [[name, value] as const];
    }),
  );
}

function dryRun({ environment }: Settings, checks: readonly Check[]): number {
  const wrong = checks.filter(({ state }) => state === 'wrong').length;
  if (wrong > 0) {
    console.error(`\n${wrong} of ${checks.length} checks failed. Nothing was sent.`);
    return 1;
  }
  const unknown = checks.some(({ state }) => state === 'unknown');
  const env = environment === PRODUCTION ? '' : ` --env ${environment}`;
  console.log(
    `\n${unknown ? 'What could be checked is in order' : 'All is in order'}. Nothing was sent: npm run deploy --${env} --for-real does.`,
  );
  return 0;
}

async function forReal(
  settings: Settings,
  checks: readonly Check[],
  secrets: ReadonlyMap<string, string>,
): Promise<number> {
  if (checks.some(({ state }) => state === 'wrong' || state === 'unknown')) {
    console.error('\nNot deployed: every check must pass first.');
    return 1;
  }
  const url = await deploy(settings, secrets);
  if (url === undefined) {
    console.log('\nDeployed. Its address is the one of your route or custom domain: ask its /healthz.');
    return 0;
  }
  if (!(await isHealthy(url))) {
    console.error(`\nDeployed, but ${new URL('/healthz', url).href} does not answer: npx wrangler tail.`);
    return 1;
  }
  console.log(`\nDeployed, and answering at ${url.href}. A first tenant:

  curl ${url.origin}/v1/tenants -H "authorization: Bearer $${SECRET}" \\
    -H 'content-type: application/json' -d '{"name": "First customer"}'`);
  return 0;
}
