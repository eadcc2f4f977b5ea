/**
 * `npm run test:quick [-- REF]`: all types, formatting and lint of the files that differ from REF (default: the last commit),
 * and the tests that import one of them, but for those that start a server, a browser or a training. Those are left to `npm test`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './build/stale.ts';
import { check } from './checks.ts';
import { runChild } from './child.mjs';
import { run } from './run.ts';

const SLOW = ['console', 'deploy', 'docs', 'local', 'protocols', 'sdk', 'spaces', 'trainer'];

const [ref = 'HEAD'] = process.argv.slice(2);
const files = await changedSince(ref);
if (!(await check(files))) process.exitCode = 1;
else {
  const excluded = SLOW.flatMap((folder) => ['--exclude', `test/node/${folder}/**`]);
  const args = ['run', '--changed', ref, '--passWithNoTests', ...excluded];
  process.exitCode = await runChild('vitest', args, { stdio: 'inherit' });
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
