/** The command line as users run it: a process, its exit code and what it prints where. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import packageJson from '../../../package.json' with { type: 'json' };
import { headwater, png, temporaryFolder, writeColours, writeFiles } from './workspace.ts';

const Failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

const Share = z.object({ share: z.number(), of: z.int() });
const Judged = z.object({
  accuracy: z.number(),
  examples: z.int(),
  labels_not_in_head: z.array(z.string()),
  skipped: z.object({ unusable: z.int() }),
  unknown: z.object({ flagged: Share, known_passed: Share, auroc: z.number() }),
  class_left_out: z.object({
    mean_auroc: z.number(),
    per_class: z.array(z.object({ label: z.string(), auroc: z.number() })),
  }),
});

describe('exit codes', () => {
  const wrong = [
    ['nothing', []],
    ['an unknown verb', ['fly']],
    ['an unknown option', ['train', 'x', '--out', 'y', '--fast']],
    ['a missing option', ['train', 'x']],
    ['a missing argument', ['train', '--out', 'y']],
    ['an unknown strategy', ['train', 'x', '--out', 'y', '--strategy', 'magic']],
    ['a number that is none', ['classify', 'x', '--head', 'y', '--top-k', '0']],
    ['no address of a Worker', ['push', 'x.safetensors', '--head', 'name']],
    ['an address that is none', ['push', 'x', '--head', 'name', '--url', 'ftp://x', '--key', 'k']],
    ['a name that no head can have', ['push', 'x', '--head', 'No Name', '--url', 'http://x', '--key', 'k']],
  ] as const;

  test.each(wrong)('%s is called wrongly: 2', async (_, args) => {
    const { code, stdout, stderr } = await headwater(args, { cwd: temporaryFolder() });
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  test('help and version are no errors', async () => {
    const cwd = temporaryFolder();
    expect(await headwater(['train', '--help'], { cwd })).toMatchObject({ code: 0, stderr: '' });
    expect(await headwater(['--version'], { cwd })).toMatchObject({
      code: 0,
      stdout: `${packageJson.version}\n`,
    });
  });

  test('with --json a failure is one JSON object too', async () => {
    const cwd = temporaryFolder();
    const failed = await headwater(['train', 'absent', '--out', 'y', '--json'], { cwd });
    expect(failed.code).toBe(1);
    expect(Failure.parse(JSON.parse(failed.stdout)).error.message).toBe(
      `Could not open ${join(cwd, 'absent')}: it does not exist.`,
    );
    const wrong = await headwater(['train', '--json'], { cwd });
    expect(wrong.code).toBe(2);
    expect(Failure.parse(JSON.parse(wrong.stdout)).error.code).toBe('usage');
  });

  test('Ctrl-C ends with 130 and leaves no half-written file', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 60);
    const { code, stderr } = await headwater(
      ['train', 'd', '--out', 'out/h.safetensors', '--strategy', 'linear-all'],
      { cwd, interruptAt: 'Training on' },
    );
    expect(code).toBe(130);
    expect(stderr).toContain('Interrupted');
    expect(readdirSync(cwd, { recursive: true }).filter((name) => String(name).endsWith('.tmp'))).toEqual([]);
  });
});

describe('using a head', () => {
  test('eval, classify and inspect agree with each other', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 5);
    writeColours(join(cwd, 't'), 2, 60);
    writeFiles(cwd, {
      't/pink/1.png': png(0, 80),
      't/red/broken.png': 'x',
      'strange/x.png': png(1, 99),
      'other/x/1.png': png(0, 1),
    });
    await headwater(['train', 'd', '--out', 'h.safetensors', '--strategy', 'linear-all', '--no-report'], {
      cwd,
    });
    const judged = await headwater(
      ['eval', 't', '--head', 'h.safetensors', '--unknown', 'strange', '--report', 'e.html', '--json'],
      { cwd },
    );
    expect(judged.code, judged.stderr).toBe(0);
    const metrics = Judged.parse(JSON.parse(judged.stdout));
    expect(metrics).toMatchObject({
      accuracy: 1,
      examples: 6,
      labels_not_in_head: ['pink'],
      skipped: { unusable: 1 },
      unknown: { flagged: { of: 1 }, known_passed: { of: 6 } },
    });
    expect(metrics.class_left_out.per_class.map(({ label }) => label)).toEqual(['blue', 'green', 'red']);
    expect(existsSync(join(cwd, 'e.html'))).toBe(true);
    const otherLabels = await headwater(['eval', 'other', '--head', 'h.safetensors'], { cwd });
    expect(otherLabels).toMatchObject({ code: 1, stdout: '' });
    expect(otherLabels.stderr).toMatch(
      /None of the labels .*\(x\) is one of the head's \(blue, green, red\)/,
    );

    const said = await headwater(['classify', 't/red/0.png', 't/red', '--head', 'h.safetensors', '--json'], {
      cwd,
    });
    expect(said.code).toBe(1);
    const { results } = z
      .object({ results: z.array(z.looseObject({ picture: z.string() })) })
      .parse(JSON.parse(said.stdout));
    expect(results.map(({ picture }) => picture)).toEqual([
      't/red/0.png',
      't/red/0.png',
      't/red/1.png',
      't/red/broken.png',
    ]);
    expect(results[0]).toMatchObject({
      predictions: [{ label: 'red' }, {}, {}],
      image: { width: 32, height: 32, format: 'png' },
    });
    expect(results[3]).toMatchObject({ error: { code: 'image_format_unknown' } });

    const inspected = await headwater(['inspect', 'h.safetensors', '--json'], { cwd });
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      classes: [{ label: 'blue', examples: 5 }, {}, {}],
      examples: 15,
      code_length: 3680,
      test: null,
    });
  });

  test('without --json tables go to standard output', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 3);
    const trained = await headwater(
      ['train', 'd', '--out', 'h.safetensors', '--strategy', 'linear-all', '--no-report'],
      {
        cwd,
      },
    );
    expect(trained.stdout).toMatch(/leave-one-out \(9\)\naccuracy +100\.0 %/);
    const { stdout, code } = await headwater(['classify', 'd/red/0.png', '--head', 'h.safetensors'], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/d\/red\/0\.png +red/);
  });

  test.each([
    ['absent.safetensors', undefined, /it does not exist/],
    ['text.safetensors', 'not a head', /is no head that can be used/],
    ['folder', null, /it is a folder/],
  ])('%s is no head', async (name, contents, message) => {
    const cwd = temporaryFolder();
    if (typeof contents === 'string') writeFileSync(join(cwd, name), contents);
    if (contents === null) mkdirSync(join(cwd, name));
    const { code, stderr } = await headwater(['inspect', name], { cwd });
    expect(code).toBe(1);
    expect(stderr).toMatch(message);
  });
});
