import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { smallWorkspace } from './small-workspace.ts';

const CLI = join(import.meta.dirname, '../../../trainer/cli.ts');

const TRAIN = [
  'train',
  'colours',
  '--backbone',
  'small',
  '--strategy',
  'fine-tune',
  '--no-report',
  '--out',
  'h.safetensors',
];

type Workspace = ReturnType<typeof smallWorkspace>;

interface Ended {
  readonly code: number;
  readonly stderr: string;
}

/** @param saves after so many fine-tuned networks are saved, ready or not, the run is interrupted. */
async function train(run: Workspace, cache: string, options: string[], saves = Infinity): Promise<Ended> {
  const { cwd, env } = run;
  const child = spawn(process.execPath, [CLI, ...TRAIN, ...options], {
    cwd,
    env: { ...process.env, ...env, INIT_CWD: cwd, HEADWATER_CACHE: join(cwd, cache) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const closed = once(child, 'close');
  const before = Date.now();
  if (saves < Infinity) {
    while (savedSince(join(cwd, cache), before) < saves && child.exitCode === null) await setTimeout(5);
    child.kill('SIGINT');
  }
  await closed;
  return { code: child.exitCode ?? -1, stderr };
}

function savedSince(cache: string, time: number): number {
  const saved = globSync('runs/*/*.safetensors', { cwd: cache });
  return saved.filter((name) => statSync(join(cache, name)).mtimeMs > time).length;
}

test('a run that is interrupted twice and resumed writes the file of one that was not', async () => {
  const run = smallWorkspace(3);
  const file = (): Buffer => readFileSync(join(run.cwd, 'h.safetensors'));
  const whole = await train(run, 'whole', []);
  expect(whole.code, whole.stderr).toBe(0);
  const expected = file();
  // First in the middle of the folds; then, when all three are tuned, while codes are read.
  for (const [options, saves] of [
    [[], 1],
    [['--resume'], 3],
  ] as const) {
    const { code, stderr } = await train(run, 'parts', [...options], saves);
    expect(code, stderr).toBe(130);
    expect(stderr).toContain('The same command with --resume goes on from here.');
  }
  const last = await train(run, 'parts', ['--resume']);
  expect(last.code, last.stderr).toBe(0);
  expect(file().equals(expected)).toBe(true);
  const other = await train(run, 'whole', ['--seed', '2']);
  expect(other.code, other.stderr).toBe(0);
  expect(file().equals(expected)).toBe(false);
});

test('two runs on the same pictures at once, for two files, leave each other alone', async () => {
  const run = smallWorkspace(3);
  const files = ['one.safetensors', 'other.safetensors'];
  for (const { code, stderr } of await Promise.all(files.map((out) => train(run, 'cache', ['--out', out]))))
    expect(code, stderr).toBe(0);
  const [one, other] = files.map((name) => readFileSync(join(run.cwd, name)));
  expect(one.equals(other)).toBe(true);
});
