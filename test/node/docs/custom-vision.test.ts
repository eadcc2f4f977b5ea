/** The program of docs/migrating-from-custom-vision.md needs an account at Azure; its types are checked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { run } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';
import { snippetsOf } from './snippets.ts';

const COMPILER_OPTIONS = {
  noEmit: true,
  strict: true,
  module: 'esnext',
  moduleResolution: 'bundler',
  skipLibCheck: true,
  target: 'esnext',
  types: ['node'],
};

it("fits the types of Microsoft's client", async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache/custom-vision-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const programs = snippetsOf('docs/migrating-from-custom-vision.md').filter(
    ({ language }) => language === 'ts',
  );
  expect(programs).toHaveLength(1);
  writeFileSync(
    join(folder, 'migrate.ts'),
    `import type { TrainingAPIClient } from '@azure/cognitiveservices-customvision-training';
     declare const azure: TrainingAPIClient, headwater: TrainingAPIClient;
     declare const oldProject: string, newProject: { readonly id?: string };
     ${programs[0].code}
     export {};`,
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, files: ['migrate.ts'] }),
  );
  const tsc = join(root, 'node_modules/.bin/tsc');
  expect(await run(tsc, ['-p', 'tsconfig.json'], { cwd: folder })).toMatchObject({ code: 0, stdout: '' });
});
