/** Every JavaScript snippet of these pages and their command lines, run as they stand; TypeScript is type-checked. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';
import { House, picture } from '../protocols/house.ts';
import { png } from '../trainer/workspace.ts';

const PAGES = ['docs/sdk.md', 'docs/protocols.md'];

/** Below the repository, so that its packages and its own name are found. */
let folder: string;
let house: House;
let key: string;
beforeAll(async () => {
  house = await House.open();
  key = await house.newTenant();
  for (const head of ['recycling', 'resnet-50']) await house.putHead(key, head, ['glass', 'metal', 'paper']);
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache/snippets-'));
  writeFileSync(join(folder, 'photo.jpg'), picture());
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await house.close();
});

const snippetsOf = (page: string, language: string): string[] =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/```(\w+)\n([\s\S]*?)```/g)]
    .filter(([, found]) => found === language)
    .map(([, , code]) => code);

describe.each(PAGES)('%s', (page) => {
  const snippets = snippetsOf(page, 'js');

  it('has snippets', () => {
    expect(snippets.length).toBeGreaterThan(2);
  });

  it.each(snippets)('%s', async (snippet) => {
    const file = join(folder, `${Math.random()}.mjs`);
    writeFileSync(
      file,
      `import { readFileSync } from 'node:fs';
       const { URL, KEY } = process.env;
       const photo = new Uint8Array(readFileSync('photo.jpg'));
       ${snippet}`,
    );
    // Addresses in the snippets go on with a slash.
    const env = { URL: house.url.origin, KEY: key };
    expect(await run(process.execPath, [file], { cwd: folder, env })).toMatchObject({ code: 0, stderr: '' });
  });
});

it("docs/protocols.md's command lines run", async () => {
  for (const lines of snippetsOf('docs/protocols.md', 'sh')) {
    const env = { URL: house.url.origin, KEY: key };
    const { code, stdout, stderr } = await run('sh', ['-e', '-c', lines], { cwd: folder, env });
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      model_name: 'recycling',
      outputs: [{ name: 'probabilities' }, {}, {}, {}],
    });
  }
});

it("docs/migrating-from-custom-vision.md's program fits Microsoft's types", async () => {
  const [program] = snippetsOf('docs/migrating-from-custom-vision.md', 'ts');
  writeFileSync(
    join(folder, 'migrate.ts'),
    `import type { TrainingAPIClient } from '@azure/cognitiveservices-customvision-training';
     declare const azure: TrainingAPIClient, headwater: TrainingAPIClient;
     declare const oldProject: string, newProject: { readonly id?: string };
     ${program}
     export {};`,
  );
  const compilerOptions = {
    noEmit: true,
    strict: true,
    module: 'esnext',
    moduleResolution: 'bundler',
    skipLibCheck: true,
  };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...compilerOptions, target: 'esnext', types: ['node'] },
      files: ['migrate.ts'],
    }),
  );
  const tsc = join(root, 'node_modules/.bin/tsc');
  expect(await run(tsc, ['-p', 'tsconfig.json'], { cwd: folder })).toMatchObject({ code: 0, stdout: '' });
});

it("README's first command lines train, push and classify", async () => {
  const [lines] = snippetsOf('README.md', 'sh');
  const photos = { red: 0, green: 1, blue: 2 };
  for (const [label, colour] of Object.entries(photos)) {
    mkdirSync(join(folder, 'photos', label), { recursive: true });
    for (let i = 0; i < 6; i++) writeFileSync(join(folder, 'photos', label, `${i}.png`), png(colour, i));
  }
  writeFileSync(join(folder, 'new.jpg'), picture());
  // npm finds the project from below it, and runs its scripts at the root: the folder is told by INIT_CWD.
  const env = { URL: house.url.origin, KEY: key, NO_COLOR: '1' };
  const { code, stdout, stderr } = await run('sh', ['-e', '-c', lines], { cwd: folder, env });
  expect(code, stderr).toBe(0);
  const answer: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
  expect(answer).toMatchObject({ head: 'shop', version: 1, unknown: { is_unknown: true } });
});
