/** What `train` says where backbone, size or CPU budget make no sense: what is wrong, and what would do. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { headwater, temporaryFolder, writeColours } from './workspace.ts';

const LITE = ['--backbone', 'efficientnet-lite0'];
const LITE_SIZES = 'its sizes are 224×224, 128×128, 160×160, 192×192, 288×288.';

const refused: readonly (readonly [string, readonly string[], string])[] = [
  [
    'a backbone that is not here',
    ['--backbone', 'resnet'],
    "There is no backbone 'resnet'. Named ones are: efficientnet-lite0, mobilenet-v3-small.",
  ],
  [
    'a path for a backbone',
    ['--backbone', '../efficientnet-lite0'],
    "There is no backbone '../efficientnet-lite0'.",
  ],
  ['a size that is no number', ['--size', 'large'], 'It must be a whole number from 1 on.'],
  ['no size at all', ['--size', '0'], 'It must be a whole number from 1 on.'],
  ['a part of a pixel', ['--size', '160.5'], 'It must be a whole number from 1 on.'],
  ['two sides', ['--size', '160x160'], 'It must be a whole number from 1 on.'],
  ['a size that is no multiple of 32', [...LITE, '--size', '150'], `150×150 pixels; ${LITE_SIZES}`],
  [
    'a multiple of 32 that the plan does not list',
    [...LITE, '--size', '320'],
    `320×320 pixels; ${LITE_SIZES}`,
  ],
  [
    'a size with a strategy of its own',
    [...LITE, '--size', '150', '--strategy', 'linear-all'],
    `150×150 pixels; ${LITE_SIZES}`,
  ],
  ['no CPU', ['--cpu-budget', '0'], 'It must be a number of milliseconds above 0, at most 10000.'],
  ['less than no CPU', ['--cpu-budget=-3'], 'It must be a number of milliseconds above 0, at most 10000.'],
  [
    'a CPU budget with a unit',
    ['--cpu-budget', '3ms'],
    'It must be a number of milliseconds above 0, at most 10000.',
  ],
  [
    'more CPU than a request may have',
    ['--cpu-budget', '10001'],
    'It must be a number of milliseconds above 0, at most 10000.',
  ],
  [
    'a CPU budget below the cheapest',
    ['--cpu-budget', '0.5'],
    'No backbone fits the CPU budget of 0.5 ms: the cheapest, mobilenet-v3-small at 224 px, is reckoned at 2.1 ms a picture. Give --cpu-budget 2.1 or more.',
  ],
  [
    'a CPU budget below the cheapest of the size',
    [...LITE, '--size', '288', '--cpu-budget', '5'],
    'No backbone fits the CPU budget of 5 ms: the cheapest, efficientnet-lite0 at 288 px,',
  ],
  [
    'a CPU budget where nothing is chosen',
    ['--strategy', 'linear-all', '--cpu-budget', '5'],
    "--cpu-budget is for --strategy auto, which chooses backbone and size; with 'linear-all' say --backbone and --size.",
  ],
];

describe('train', () => {
  test.each(refused)('refuses %s', async (_, options, message) => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'colours'), 2);
    const { code, stdout, stderr } = await headwater(['train', 'colours', '--out', 'h', ...options], { cwd });
    expect(stderr).toContain(message);
    expect(code).toBe(2);
    expect(stdout).toBe('');
  });

  test('refuses an engine that there is not', async () => {
    const cwd = temporaryFolder();
    writeColours(join(cwd, 'colours'), 2);
    const env = { HEADWATER_ENGINE: 'simd4' };
    const { code, stderr } = await headwater(['train', 'colours', '--out', 'h'], { cwd, env });
    expect(stderr).toContain("HEADWATER_ENGINE names no engine: 'simd4'. One of: simd32, simd16, simd8.");
    expect(code).toBe(2);
  });
});
