/** `npm run deploy` as far as it goes without an account, and its checks on settings that are wrong. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { checkKeySecret, checkSecret } from '../../../scripts/deploy/account.ts';
import { startupCheck } from '../../../scripts/deploy/bundle.ts';
import {
  checkBindings,
  checkCompatibility,
  readAllSettings,
  readSettings,
} from '../../../scripts/deploy/settings.ts';
import { run, type Ran } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';

const OWN = readFileSync(join(root, 'wrangler.toml'), 'utf8');

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'headwater-deploy-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

/** The project's settings, changed. */
function settingsFile(change: (text: string) => string): string {
  const changed = change(OWN);
  expect(changed).not.toBe(OWN);
  const file = join(folder(), 'wrangler.toml');
  writeFileSync(file, changed);
  return file;
}

/** Where nobody is logged in, and with an address that nothing can be sent to. */
function deploy(args: readonly string[], secret = ''): Promise<Ran> {
  const home = folder();
  const env = {
    HOME: home,
    XDG_CONFIG_HOME: home,
    CLOUDFLARE_API_TOKEN: '',
    CLOUDFLARE_API_BASE_URL: 'http://127.0.0.1:9/',
    HEADWATER_ADMIN_SECRET: secret,
  };
  const program = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/deploy/index.ts')];
  return run(process.execPath, [...program, ...args], { cwd: root, env });
}

/** All of them, of a deployment that nothing is wrong with. */
function expectChecks(stdout: string, worker: string): void {
  for (const name of ['bindings', 'compatibility', 'script', 'console', 'bundling']) {
    expect(stdout).toMatch(new RegExp(`^✓ ${name}`, 'm'));
  }
  expect(stdout).toMatch(/^[✓·] start-up +\d+ ms of CPU here, of 1000 ms/m);
  expect(stdout).toContain(`wrangler would deploy ${worker}\n`);
  expect(stdout).toMatch(/^\? login +nobody is logged in/m);
}

describe('npm run deploy', () => {
  it('checks production and sends nothing', async () => {
    const { code, stdout, stderr } = await deploy([]);
    expect(code, stdout + stderr).toBe(0);
    expectChecks(stdout, 'headwater');
    expect(stdout).toContain('Nothing was sent');
  });

  it('checks staging, and does not deploy for real while a check is open', async () => {
    const { code, stdout, stderr } = await deploy(['--env', 'staging', '--for-real'], 'short');
    expect(code).toBe(1);
    expectChecks(stdout, 'headwater-staging');
    expect(stdout).toMatch(/^✗ secret +HEADWATER_ADMIN_SECRET has 5 characters/m);
    expect(stderr).toContain('Not deployed');
  });

  it('names the environments when there is no such one', async () => {
    const { code, stderr } = await deploy(['--env', 'moon']);
    expect(code).toBe(2);
    expect(stderr).toContain("no environment 'moon'. One of: production, staging.");
    expect((await deploy(['--now'])).code).toBe(2);
  });
});

it('a start-up that is too slow here may be fast enough there', () => {
  expect(startupCheck(1_000)).toMatchObject({ state: 'ok', what: '1000 ms of CPU here, of 1000 ms' });
  expect(startupCheck(1_077)).toMatchObject({ state: 'note' });
});

describe('the checks of wrangler.toml', () => {
  const today = '2026-11-25';

  it('names what wrangler makes after the Worker', () => {
    expect(readSettings(join(root, 'wrangler.toml'), 'staging')).toMatchObject({
      worker: 'headwater-staging',
      bucket: 'headwater-staging-heads',
      namespace: 'headwater-staging-pointers',
      missing: [],
    });
  });

  it('find a binding that an environment lacks', () => {
    const file = settingsFile((text) => text.replace('[[env.staging.r2_buckets]]\nbinding = "HEADS"\n', ''));
    expect(checkBindings(readAllSettings(file, 'production')).state).toBe('ok');
    expect(checkBindings(readAllSettings(file, 'staging'))).toMatchObject({
      state: 'wrong',
      what: '[env.staging] of wrangler.toml lacks HEADS',
    });
  });

  it('find what two environments share', () => {
    const file = settingsFile((text) =>
      text.replaceAll('binding = "HEADS"', 'binding = "HEADS"\nbucket_name = "one-for-all"'),
    );
    expect(checkBindings(readAllSettings(file, 'staging'))).toMatchObject({
      state: 'wrong',
      what: 'staging and production share the bucket one-for-all',
    });
  });

  it('find a compatibility date with which the Worker would not start', () => {
    const late = settingsFile((text) => text.replace('"2026-08-01"', '"2026-08-04"'));
    expect(checkCompatibility(readSettings(late, 'production'), today).state).toBe('wrong');
    const without = settingsFile((text) =>
      text
        .replace('"2026-08-01"', '"2026-08-04"')
        .replace('compatibility_flags = []', 'compatibility_flags = ["no_nodejs_compat"]'),
    );
    expect(checkCompatibility(readSettings(without, 'staging'), today).state).toBe('ok');
    const flagged = settingsFile((text) =>
      text.replace('compatibility_flags = []', 'compatibility_flags = ["nodejs_compat"]'),
    );
    expect(checkCompatibility(readSettings(flagged, 'production'), today).state).toBe('wrong');
  });

  it('know when the secret is missing, too short, or about to be replaced', () => {
    const long = 'x'.repeat(32);
    expect(checkSecret([], undefined).state).toBe('wrong');
    expect(checkSecret([], 'x'.repeat(31)).state).toBe('wrong');
    expect(checkSecret([], long).state).toBe('made');
    expect(checkSecret(['HEADWATER_ADMIN_SECRET'], undefined).state).toBe('ok');
    expect(checkSecret(['HEADWATER_ADMIN_SECRET'], long).what).toContain('replaced');
    expect(checkKeySecret([], undefined)).toMatchObject({ state: 'note' });
    expect(checkKeySecret([], undefined).what).toContain('no check value');
    expect(checkKeySecret(['HEADWATER_KEY_SECRET'], undefined).state).toBe('ok');
    expect(checkKeySecret([], `${long},${long}`).state).toBe('made');
    expect(checkKeySecret([], `${long},short`).state).toBe('wrong');
    expect(checkKeySecret(['HEADWATER_KEY_SECRET'], long).what).toContain('stop working');
    expect(checkSecret(undefined, undefined).state).toBe('unknown');
  });
});
