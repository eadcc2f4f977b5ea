/**
 * `npm run test:quick [-- REF]`, for the edit loop: all types, formatting and lint of the files that differ from REF (default:
 * the last commit), the fast tests in Node that import one of them, and a few tests in workerd. It prints what is left to `npm test`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/stale.ts';
import { check } from './checks.ts';
import { runChild } from './child.mjs';
import { run } from './run.ts';

/** Tests that start servers, browsers, bundlers or trainings. */
const SLOW = [
  'test/node/{api,console,deploy,docs,fuzz,local,protocols,sdk,spaces}/**',
  'test/node/trainer/{cli,client,models,rebase,refusals,resume,sizes,train}.test.ts',
  'test/node/backbone/{integer-browser,made}.test.ts',
];
/** The whole Worker in one file: nearly every test of the Worker imports all of it, so that imports choose none. */
const WORKER_TEST = 'test/worker/api.test.ts';

const [ref = 'HEAD'] = process.argv.slice(2);
const files = await changedSince(ref);
process.exitCode = (await check(files)) && (await test(files)) ? 0 : 1;

async function test(changed: readonly string[]): Promise<boolean> {
  const excluded = SLOW.flatMap((pattern) => ['--exclude', pattern]);
  const inNode = ['--project', 'node', '--changed', ref, '--passWithNoTests', ...excluded];
  const inWorkerd = changed.filter((file) => /^test\/worker\/.*\.test\.ts$/.test(file));
  if (changed.some((file) => /^(src|worker)\//.test(file))) inWorkerd.push(WORKER_TEST);
  const passed =
    (await vitest(inNode)) &&
    (inWorkerd.length === 0 || (await vitest(['--project', 'worker', ...inWorkerd])));
  const workerTests = inWorkerd.length === 0 ? 'test/worker' : `test/worker but for ${inWorkerd.join(', ')}`;
  console.log(`— left to npm test: ${[...SLOW, workerTests].join(', ')}`);
  return passed;
}

async function vitest(args: readonly string[]): Promise<boolean> {
  return (await runChild('vitest', ['run', ...args], { stdio: 'inherit' })) === 0;
}

/** Files that differ, and new ones; none that is gone. @throws Error where git knows no such commit. */
async function changedSince(commit: string): Promise<string[]> {
  const differing = await git('diff', '--name-only', '-z', commit, '--');
  const added = await git('ls-files', '--others', '--exclude-standard', '-z');
  return [...differing, ...added].filter((file) => existsSync(join(root, file)));
}

async function git(...args: string[]): Promise<string[]> {
  const { code, stdout, stderr } = await run('git', args, { cwd: root });
  if (code !== 0) throw new Error(`git ${args.join(' ')}: ${stderr.trim()}`);
  return stdout.split('\0').filter((name) => name !== '');
}
