/**
 * The way in for every npm script: installs what is missing, then runs the task under the project's own Node.
 * Runs on the system's Node (18 or later) and depends on nothing, since nothing is installed yet.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { runChild } from './child.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const [task = '', ...rest] = process.argv.slice(2);

/**
 * What each task runs, in order; the arguments go to the last of them.
 * @type {Record<string, string[]>}
 */
const tasks = {
  build: ['scripts/build/index.ts'],
  'build:sdk': ['scripts/build/sdk.ts'],
  start: ['scripts/build/index.ts', 'scripts/demo/index.ts'],
  dev: ['scripts/build/index.ts', 'scripts/dev.ts'],
  headwater: ['scripts/build/index.ts', 'trainer/cli.ts'],
  bench: ['scripts/build/index.ts', 'bench/index.ts'],
  hostile: ['scripts/build/index.ts', 'bench/hostile.ts'],
  soak: ['scripts/build/index.ts', 'test/soak.ts'],
  fuzz: ['scripts/build/index.ts', 'test/fuzz.ts'],
  mutants: ['scripts/build/index.ts', 'test/mutants/index.ts'],
  size: ['scripts/build/index.ts', 'scripts/build/size.ts'],
  deploy: ['scripts/build/index.ts', 'scripts/deploy/index.ts'],
  screenshots: ['scripts/build/index.ts', 'scripts/screenshots/index.ts'],
  test: ['scripts/build/index.ts', 'scripts/test.ts'],
  'test:quick': ['scripts/build/index.ts', 'scripts/test-quick.ts'],
};

const scripts = tasks[task];
if (scripts === undefined) fail(`Unknown task '${task}'. One of: ${Object.keys(tasks).join(', ')}.`, 2);
if (Number(process.versions.node.split('.')[0]) < 18) {
  fail(`Node ${process.versions.node} is too old to set Headwater up: it needs 18 or later.`, 1);
}
await install();
const bin = join(root, 'node_modules', '.bin');
const env = {
  ...process.env,
  PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
  HEADWATER_CWD: process.cwd(),
};
await runAll(scripts);

/**
 * Runs scripts one after the other; the exit code of one that fails is passed on.
 * @param {string[]} names
 */
async function runAll(names) {
  for (const [i, script] of names.entries()) {
    const args = i === names.length - 1 ? rest : [];
    const command = ['--disable-warning=ExperimentalWarning', join(root, script), ...args];
    const code = await runChild(join(bin, 'node'), command, { stdio: 'inherit', cwd: root, env }).catch(
      (error) => fail(`Could not run ${script}: ${error.message}`, 1),
    );
    if (code !== 0) process.exit(code);
  }
}

/** Runs `npm ci` unless node_modules already holds what the lock file asks for. */
async function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.headwater-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing dependencies (once) …');
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const code = await runChild(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  if (code > 128) process.exit(code);
  if (code !== 0) {
    fail(
      'npm ci failed: see above. Headwater needs the npm registry for its first start (check the network, a proxy, and ' +
        'free disk space: about 1.5 GB).',
      1,
    );
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, lock);
}

/**
 * @param {string} message
 * @param {number} code
 * @returns {never}
 */
function fail(message, code) {
  console.error(message);
  process.exit(code);
}
