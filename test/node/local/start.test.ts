/** `npm start`, from the photos that the project carries to lines for a shell, which work as they are pasted. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { run } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';

const Answers = z.tuple([
  z.object({ head: z.string(), predictions: z.array(z.object({ label: z.string() })) }),
  z.object({ heads: z.array(z.object({ head: z.string() })) }),
]);

let state: string;
let child: ChildProcess;
let said = '';
beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'headwater-start-'));
  const args = ['--disable-warning=ExperimentalWarning', join(root, 'scripts/demo/index.ts')];
  const env = { ...process.env, INIT_CWD: root };
  const started = spawn(process.execPath, [...args, '--port', '0', '--state', state], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child = started;
  for await (const text of started.stdout) {
    said += String(text);
    if (said.includes('Serving on')) return;
  }
  throw new Error(`It does not serve: ${said}`);
});
afterAll(async () => {
  if (child.exitCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  }
  rmSync(state, { recursive: true, force: true });
});

it('says how good the head is, and that a photo of something else is none of these', () => {
  expect(said).toMatch(/^accuracy +\d\d\.\d % \(\d\d\.\d–\d\d\.\d\) +\d\d\.\d % \(\d\d\.\d–\d\d\.\d\)$/m);
  const [, right] = /^(\d+) of 90 right/m.exec(said) ?? [];
  // Measured: 71.
  expect(Number(right)).toBeGreaterThanOrEqual(67);
  expect(said).toMatch(/^meal_1\.jpg.*: none of these \(is_unknown is true\)/m);
  // Rows of the confusion matrix hold every test photo.
  const rows = [...said.matchAll(/^(cardboard|glass|metal|paper|plastic|trash) +((?:(?:\d+|·) *){6})$/gm)];
  const counts = rows.flatMap(([, , cells]) => cells.split(/ +/).map((cell) => Number(cell) || 0));
  expect([rows.length, counts.reduce((sum, count) => sum + count, 0)]).toEqual([6, 90]);
});

it('prints lines for a shell that work as pasted', async () => {
  const [lines] = /^ {2}export HEADWATER_KEY=[\s\S]*?(?=\n\n)/m.exec(said) ?? [''];
  const ran = await run('sh', ['-e', '-c', lines], { cwd: root });
  expect(ran.code, ran.stderr).toBe(0);
  const [answer, { heads }] = Answers.parse(JSON.parse(`[${ran.stdout.trim().replace(/\}\s*\{/, '},{')}]`));
  expect([answer.head, answer.predictions[0].label]).toEqual(['demo', 'cardboard']);
  expect(heads.map(({ head }) => head)).toEqual(['demo']);
});
