/** Whether what would be sent fits Cloudflare's limits. */
import { consoleFiles } from '../build/console.ts';
import { MAX_SCRIPT_BYTES, measureBundle } from '../build/worker.ts';
import { measureStartup } from '../build/startup.ts';
import { wrangler } from '../wrangler.ts';
import { type Check, note, ok, wrong } from './check.ts';
import type { Settings } from './settings.ts';

/** https://developers.cloudflare.com/workers/platform/limits/ */
const MAX_STARTUP_MS = 1_000;
const MAX_ASSET_BYTES = 25 * 1024 * 1024;
/** Of the free plan; the paid one takes 100,000. */
const MAX_ASSETS = 20_000;

/** wrangler can't tell which plan an account has. */
const PLAN = note(
  'plan',
  'Free stops a request after 10 ms of CPU: enough for small pictures, not for batches and teaching',
);

const mib = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;

/** Measures what lies in build/. */
export async function checkBundle(settings: Settings): Promise<Check[]> {
  return [checkScript(), checkAssets(), await checkStartup(), await checkDryRun(settings), PLAN];
}

function checkScript(): Check {
  const { bytes, gzipBytes } = measureBundle();
  const what = `${mib(bytes)} (${mib(gzipBytes)} compressed) of ${mib(MAX_SCRIPT_BYTES)}`;
  return bytes <= MAX_SCRIPT_BYTES
    ? ok('script', what)
    : wrong(
        'script',
        what,
        'Delete the folders of backbones that you added in build/backbones, and build again.',
      );
}

function checkAssets(): Check {
  const files = consoleFiles();
  const large = files.find(({ bytes }) => bytes > MAX_ASSET_BYTES);
  if (large !== undefined) {
    return wrong(
      'console',
      `${large.name} has ${mib(large.bytes)}`,
      `A file may have ${mib(MAX_ASSET_BYTES)}.`,
    );
  }
  const what = `${files.length} files, ${mib(files.reduce((sum, { bytes }) => sum + bytes, 0))}`;
  return files.length <= MAX_ASSETS
    ? ok('console', what)
    : wrong('console', what, `The free plan takes ${MAX_ASSETS} files.`);
}

async function checkStartup(): Promise<Check> {
  return startupCheck((await measureStartup()).activeMs);
}

/** Never an error: this machine may be slower than Cloudflare's, which measure again and refuse what is too slow. */
export function startupCheck(activeMs: number): Check {
  const what = `${activeMs.toFixed(0)} ms of CPU here, of ${MAX_STARTUP_MS} ms`;
  if (activeMs <= MAX_STARTUP_MS) return ok('start-up', what);
  return note(
    'start-up',
    `${what}. Cloudflare measures on its own machines. If it refuses the Worker, look at build/startup.cpuprofile in a browser’s developer tools`,
  );
}

/** wrangler's own checks of this environment's settings. */
async function checkDryRun({ env, worker }: Settings): Promise<Check> {
  const { code, stdout, stderr } = await wrangler(['deploy', '--dry-run', '--env', env]);
  return code === 0
    ? ok('bundling', `wrangler would deploy ${worker}`)
    : wrong('bundling', 'wrangler refuses', `${stdout}${stderr}`.trim());
}
