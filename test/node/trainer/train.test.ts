/** headwater train, from folders of pictures to a head, a report and metrics. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { photos } from '../photos.ts';
import { headwater, png, temporaryFolder, writeColours, writeFiles } from './workspace.ts';

const Metrics = z.object({
  accuracy: z.number(),
  log_loss: z.number(),
  ece: z.number(),
  macro_f1: z.number(),
  confusion: z.array(z.array(z.int())),
});
const Skipped = z.object({
  total: z.int(),
  unusable: z.int(),
  duplicates: z.int(),
  conflicts: z.int(),
  not_pictures: z.array(z.string()),
});
const Trained = z.object({
  strategy: z.string(),
  classes: z.array(z.string()),
  examples: z.object({ total: z.int() }),
  leave_one_out: Metrics,
  test: Metrics.extend({ also_in_training: z.int() }).nullable(),
  skipped: Skipped,
  head: z.object({ path: z.string(), sha256: z.string() }),
  report: z.string().nullable(),
  codes_from_cache: z.int(),
});

/** For tests of what is the same whatever the strategy: auto reads pictures in five code spaces. */
const LINEAR = ['--strategy', 'linear-all'];

describe('training', () => {
  test('a head, its metrics, a report; the second run reads no picture twice and writes the same bytes', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'train'), 6);
    writeColours(join(cwd, 'test'), 2, 50);
    const args = [
      'train',
      'train',
      '--test',
      'test',
      '--out',
      'h.safetensors',
      '--strategy',
      'linear-all',
      '--json',
    ];
    const first = await headwater(args, { cwd });
    expect(first.code, first.stderr).toBe(0);
    const result = Trained.parse(JSON.parse(first.stdout));
    expect(result).toMatchObject({
      strategy: 'linear-all',
      classes: ['blue', 'green', 'red'],
      examples: { total: 18 },
      test: {
        accuracy: 1,
        also_in_training: 0,
        confusion: [
          [2, 0, 0],
          [0, 2, 0],
          [0, 0, 2],
        ],
      },
      head: { path: join(cwd, 'h.safetensors') },
      report: join(cwd, 'h.html'),
      codes_from_cache: 0,
    });
    expect(readFileSync(join(cwd, 'h.html'), 'utf8')).toContain('Confusion matrix, test');
    const head = readFileSync(join(cwd, 'h.safetensors'));
    const second = Trained.parse(JSON.parse((await headwater(args, { cwd })).stdout));
    expect(second.codes_from_cache).toBe(24);
    expect(readFileSync(join(cwd, 'h.safetensors')).equals(head)).toBe(true);
    expect(second).toMatchObject({ leave_one_out: result.leave_one_out, head: result.head });
  });

  test('a damaged cache costs time and nothing else', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 3);
    // One space, so that all files are of codes that the head is trained on.
    const space = ['--backbone', 'efficientnet-lite0', '--size', '160'];
    const args = ['train', 'd', ...space, '--out', 'h.safetensors', ...LINEAR, '--no-report', '--json'];
    await headwater(args, { cwd });
    const head = readFileSync(join(cwd, 'h.safetensors'));
    const files = readdirSync(join(cwd, '.cache/codes'), { recursive: true, withFileTypes: true }).filter(
      (f) => f.isFile(),
    );
    expect(files).toHaveLength(9);
    writeFileSync(join(files[0].parentPath, files[0].name), 'half');
    const { codes_from_cache } = Trained.parse(JSON.parse((await headwater(args, { cwd })).stdout));
    expect(codes_from_cache).toBe(8);
    expect(readFileSync(join(cwd, 'h.safetensors')).equals(head)).toBe(true);
  });

  test.each(['fine-tune', 'full'])('%s refuses a solver that it would not use', async (strategy) => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 2);
    const args = ['train', 'd', '--out', 'h.safetensors', '--strategy', strategy, '--solver', 'logistic'];
    const { code, stderr } = await headwater(args, { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/--solver logistic is for linear strategies; .* Leave --solver out/);
  });

  test.each([
    ['auto', 'auto', 'leave-one-out'],
    ['linear-deep', 'auto', 'leave-one-out'],
    ['linear-shallow', 'ridge', 'leave-one-out'],
    ['linear-all', 'logistic', '4-fold'],
  ])(
    '%s by the solver %s: interrupted and run again it writes the same bytes',
    async (strategy, solver, heldOutBy) => {
      const cwd = temporaryFolder();
      writeColours(join(cwd, 'd'), 4);
      const args = [
        'train',
        'd',
        '--strategy',
        strategy,
        '--solver',
        solver,
        '--no-report',
        '--json',
        '--out',
      ];
      const whole = await headwater([...args, 'whole.safetensors'], { cwd });
      expect(whole.code, whole.stderr).toBe(0);
      expect(JSON.parse(whole.stdout)).toMatchObject({ held_out_by: heldOutBy });
      const interrupted = await headwater([...args, 'again.safetensors'], {
        cwd,
        interruptAt: 'Training on',
      });
      expect(interrupted.code).toBe(130);
      expect(existsSync(join(cwd, 'again.safetensors'))).toBe(false);
      const again = await headwater([...args, 'again.safetensors', '--resume'], { cwd });
      expect(again.code, again.stderr).toBe(0);
      const [one, other] = ['whole', 'again'].map((name) => readFileSync(join(cwd, `${name}.safetensors`)));
      expect(one.equals(other)).toBe(true);
    },
  );

  test('broken pictures, copies and other files are reported and skipped; the report takes names for text', async () => {
    const cwd = temporaryFolder();
    const evil = '<img src=x onerror=alert(1)>';
    writeColours(join(cwd, 'd'), 4);
    writeFiles(join(cwd, 'd'), {
      'README.txt': 'x',
      'red/truncated.png': png(0, 9).subarray(0, 60),
      [`red/${evil}.jpg`]: 'no picture',
      'red/animated.gif': 'GIF89a',
      'red/empty.webp': '',
      'red/copy.png': png(0, 0),
      'blue/conflict.png': png(1, 0),
      [`${evil}/1.png`]: png(0, 30),
      [`${evil}/2.png`]: png(1, 30),
    });
    const args = ['train', 'd', '--out', 'h.safetensors', ...LINEAR, '--json'];
    const { code, stdout, stderr } = await headwater(args, { cwd });
    expect(code, stderr).toBe(0);
    const { skipped, classes } = Trained.parse(JSON.parse(stdout));
    expect(skipped).toMatchObject({
      total: 7,
      unusable: 4,
      duplicates: 1,
      conflicts: 2,
      not_pictures: ['README.txt'],
    });
    expect(classes).toContain(evil);
    expect(stderr).toContain('This is a GIF file');
    const report = readFileSync(join(cwd, 'h.html'), 'utf8');
    expect(report).not.toContain('<img src=x');
    expect(report).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(report).not.toMatch(/(src|href)="(?!data:)/);
  });

  const bad = [
    [
      'one class',
      { 'a/1.png': png(0, 1), 'a/2.png': png(0, 2) },
      /only the class 'a'; a head needs at least two/,
    ],
    [
      'a class without a usable picture',
      { 'a/1.png': png(0, 1), 'b/1.png': 'x' },
      /No usable picture in .* for 'b'/,
    ],
    [
      'no usable picture',
      { 'a/1.png': 'x', 'b/1.png': 'y' },
      /holds no picture that can be used. 2 were skipped/,
    ],
    ['no folders', { 'notes.txt': 'x' }, /holds no folders/],
  ] as const;

  test.each(bad)('%s is refused with what to do', async (_, files, message) => {
    const cwd = temporaryFolder();
    writeFiles(join(cwd, 'd'), files);
    const { code, stdout, stderr } = await headwater(['train', 'd', '--out', 'h.safetensors'], { cwd });
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(existsSync(join(cwd, 'h.safetensors'))).toBe(false);
  });

  test('a test set with a label that is none is refused, pictures in both sets are counted', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 3);
    writeFiles(cwd, { 't/red/1.png': png(0, 1), 't/Blue/1.png': png(2, 70) });
    const args = ['train', 'd', '--test', 't', '--out', 'h.safetensors', ...LINEAR, '--no-report', '--json'];
    expect((await headwater(args, { cwd })).stderr).toContain(
      "pictures labelled 'Blue', which the training data do not",
    );
    const again = await headwater(args.with(3, 'd'), { cwd });
    expect(Trained.parse(JSON.parse(again.stdout)).test?.also_in_training).toBe(9);
    expect(again.stderr).toContain('9 of 9 test pictures are in the training data too');
  });

  test('a place that cannot be written is refused before any work', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'd'), 2);
    writeFileSync(join(cwd, 'file'), '');
    const { code, stderr } = await headwater(['train', 'd', '--out', 'file/h.safetensors'], { cwd });
    expect(code).toBe(1);
    expect(stderr).toContain('Could not write');
    expect((await headwater(['train', 'd', '--out', '.'], { cwd })).code).toBe(2);
  });
});

describe('real pictures', () => {
  test('a few photos of three classes make a head that beats chance by far', async () => {
    const cwd = temporaryFolder();
    for (const label of ['cardboard', 'glass', 'trash']) {
      link('train', label, cwd, 14);
      link('test', label, cwd, 10);
    }
    const args = ['train', 'train', '--test', 'test', '--out', 'h.safetensors', ...LINEAR, '--json'];
    const { stdout, stderr, code } = await headwater(args, { cwd });
    expect(code, stderr).toBe(0);
    const { test: metrics } = Trained.parse(JSON.parse(stdout));
    expect(metrics?.accuracy).toBeGreaterThan(0.6);
    expect(readFileSync(join(cwd, 'h.html'), 'utf8')).toContain('data:image/webp;base64,');
  });
});

function link(part: 'train' | 'test', label: string, cwd: string, count: number): void {
  mkdirSync(join(cwd, part, label), { recursive: true });
  for (const [i, photo] of photos(part, label, count).entries()) {
    const to = join(cwd, part, label, basename(photo));
    // Both ways in which people collect pictures.
    if (i % 2 === 0) symlinkSync(photo, to);
    else copyFileSync(photo, to);
  }
}
