import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { temporaryFolder, writeColours } from './workspace.ts';

const CLI = join(import.meta.dirname, '../../../trainer/cli.ts');

interface Ended {
  readonly code: number;
  readonly stderr: string;
  /** Milliseconds from when training began. */
  readonly took: number;
}

/** @param interruptAfter milliseconds after training has begun. */
async function train(cwd: string, cache: string, options: string[], interruptAfter?: number): Promise<Ended> {
  const args = ['train', 'd', '--out', 'h.safetensors', '--strategy', 'fine-tune', '--no-report', ...options];
  const child = spawn(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...process.env, INIT_CWD: cwd, HEADWATER_CACHE: join(cwd, cache) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  let began = performance.now();
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece.toString();
    if (!piece.includes('Training on')) return;
    began = performance.now();
    if (interruptAfter !== undefined) void setTimeout(interruptAfter).then(() => child.kill('SIGINT'));
  });
  await once(child, 'close');
  return { code: child.exitCode ?? -1, stderr, took: performance.now() - began };
}

test('a run that is interrupted, twice where there is time, and resumed writes the file of one that was not', async () => {
  const cwd = temporaryFolder();
  writeColours(join(cwd, 'd'), 3);
  const file = (): Buffer => readFileSync(join(cwd, 'h.safetensors'));
  const whole = await train(cwd, 'whole', []);
  expect(whole.code, whole.stderr).toBe(0);
  const expected = file();
  // A machine that has become quicker meanwhile is over before the third: then earlier, at last at the beginning.
  let after = whole.took / 3;
  let cache = 0;
  let first = await train(cwd, `parts ${cache}`, [], after);
  while (first.code !== 130) first = await train(cwd, `parts ${++cache}`, [], (after /= 4));
  expect(first.stderr).toContain('--resume');
  const second = await train(cwd, `parts ${cache}`, ['--resume'], after);
  if (second.code === 130) {
    const last = await train(cwd, `parts ${cache}`, ['--resume']);
    expect(last.code, last.stderr).toBe(0);
  } else expect(second.code, second.stderr).toBe(0);
  expect(file().equals(expected)).toBe(true);
  const other = await train(cwd, 'whole', ['--seed', '2']);
  expect(other.code, other.stderr).toBe(0);
  expect(file().equals(expected)).toBe(false);
}, 600_000);

test('two runs on the same pictures at once, for two files, leave each other alone', async () => {
  const cwd = temporaryFolder();
  writeColours(join(cwd, 'd'), 3);
  const files = ['one.safetensors', 'other.safetensors'];
  for (const { code, stderr } of await Promise.all(files.map((out) => train(cwd, 'cache', ['--out', out]))))
    expect(code, stderr).toBe(0);
  const [one, other] = files.map((name) => readFileSync(join(cwd, name)));
  expect(one.equals(other)).toBe(true);
}, 600_000);
