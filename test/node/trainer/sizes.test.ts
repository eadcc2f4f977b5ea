/** Runs at several sizes of one backbone: other codes, other heads, and each head read as it was trained. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readHead } from '../../../src/head/index.ts';
import { smallWorkspace } from './small-workspace.ts';
import { headwater } from './workspace.ts';

const Judged = z.object({ log_loss: z.number() });
const Trained = z.object({ codes_from_cache: z.int(), test: Judged });

const Input = z.object({ height: z.int(), width: z.int(), rules: z.int() });
const Chosen = z.object({
  input: Input,
  frontier: z.object({ spaces: z.array(z.object({ input: Input, chosen: z.boolean() })) }),
});

const TRAIN = ['train', 'colours', '--test', 'colours', '--strategy', 'linear-all'];
const OPTIONS = ['--no-report', '--json', '--backbone', 'small'];

describe('sizes', () => {
  test('each has codes of its own in one cache, and its head is read at it again', async () => {
    const run = smallWorkspace(5);
    const train = async (out: string, ...size: string[]): Promise<z.infer<typeof Trained>> => {
      const { code, stdout, stderr } = await headwater([...TRAIN, ...OPTIONS, '--out', out, ...size], run);
      expect(code, stderr).toBe(0);
      return Trained.parse(JSON.parse(stdout));
    };
    // The pictures are read for training and for the test, from the cache the second time.
    const head = (name: string) => readHead(readFileSync(join(run.cwd, name)));
    const own = await train('own', '--size', '48');
    const large = await train('large', '--size', '64');
    const fromCache = [own, large, await train('again', '--size', '64'), await train('default')];
    expect(fromCache.map(({ codes_from_cache: count }) => count)).toEqual([15, 15, 30, 30]);
    expect(head('large').input).toEqual({ height: 64, width: 64, rules: 2 });
    expect(head('large').statistics).toEqual(['mean', 'deviation', 'mean', 'deviation', 'mean', 'mean']);
    expect(head('own').input).toEqual({ height: 48, width: 48, rules: 2 });
    expect(readFileSync(join(run.cwd, 'again'))).toEqual(readFileSync(join(run.cwd, 'large')));
    expect(readFileSync(join(run.cwd, 'default'))).toEqual(readFileSync(join(run.cwd, 'own')));
    expect(head('large').mean).not.toEqual(head('own').mean);
    for (const [name, { test }] of [['own', own] as const, ['large', large] as const]) {
      const { stdout } = await headwater(['eval', 'colours', '--head', name, '--json'], run);
      expect(Judged.parse(JSON.parse(stdout))).toEqual(test);
    }
  });

  test('auto chooses one within the CPU budget, shows what it chose from, and heads of others are not tried', async () => {
    const run = smallWorkspace(5);
    const auto = ['train', 'colours', '--json', '--backbone', 'small', '--out', 'h'];
    const { code, stdout, stderr } = await headwater([...auto, '--cpu-budget', '0.04'], run);
    expect(code, stderr).toBe(0);
    const { input, frontier } = Chosen.parse(JSON.parse(stdout));
    const sides = frontier.spaces.map((space) => space.input.width);
    expect(sides).toEqual([32, 40, 48].slice(0, sides.length));
    expect(sides.length).toBeGreaterThan(1);
    expect(frontier.spaces.filter(({ chosen }) => chosen).map((space) => space.input)).toEqual([input]);
    expect(readHead(readFileSync(join(run.cwd, 'h'))).input).toEqual(input);
    expect(stderr).toContain('Beyond the budget of 0.0 ms: random at 64');
    expect(readFileSync(join(run.cwd, 'h.html'), 'utf8')).toContain('Backbones and sizes');
  });
});
