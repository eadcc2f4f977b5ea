/** The peers are large and only the benchmark needs them: they are installed when it first runs. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;
const stamp = join(folder, 'node_modules', '.bench-installed');

/**
 * Runs `npm ci` in bench/ unless what the lock file asks for is there.
 * @throws Error that says what to do.
 */
export function installPeers(log: (line: string) => void): void {
  const lock = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  log('Installing the peers to measure against, in bench/ (once, about 480 MB) …');
  // Install scripts would fetch GPU libraries from elsewhere, which nothing here uses.
  const run = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (run.status !== 0) {
    throw new Error(
      'npm ci failed in bench/: see above. It needs the npm registry and about 1 GB of disk; nothing but the benchmark does.',
    );
  }
  writeFileSync(stamp, lock);
}
