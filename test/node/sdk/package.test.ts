/** The client as a user gets it: packed, installed in a project of their own, run and type-checked there. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildSdk } from '../../../scripts/build/sdk.ts';
import { run } from '../../../scripts/run.ts';
import { root } from '../../../scripts/build/stale.ts';
import { TestHost, picture } from '../protocols/test-host.ts';

let host: TestHost;
let folder: string;
beforeAll(async () => {
  host = await TestHost.open();
  // Below the repository, for its zod: of which the types are made.
  mkdirSync(join(root, '.cache'), { recursive: true });
  folder = mkdtempSync(join(root, '.cache/package-'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'theirs', type: 'module' }));
  const install = ['install', '--offline', '--no-audit', '--no-fund', buildSdk()];
  expect(await run('npm', install, { cwd: folder })).toMatchObject({ code: 0 });
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await host.close();
});

it('runs without anything else', async () => {
  const key = await host.newTenant();
  await host.putHead(key, 'pets', ['cat', 'dog']);
  writeFileSync(join(folder, 'photo.jpg'), picture());
  writeFileSync(
    join(folder, 'theirs.js'),
    `import { readFileSync } from 'node:fs';
     import { HeadwaterClient } from 'headwater/sdk';
     import { load } from 'headwater/sdk/teachable-machine';
     import { workersAi } from 'headwater/sdk/workers-ai';
     const photo = new Uint8Array(readFileSync('photo.jpg'));
     const { URL: url, KEY: key } = process.env;
     const client = new HeadwaterClient({ url, key });
     const { predictions } = await client.classify('pets', { bytes: photo, type: 'image/jpeg' });
     const model = await load(url + '/v1/heads/pets', { key });
     const labels = await workersAi({ url, key }).run('@headwater/pets', { image: [...photo] });
     console.log(JSON.stringify([predictions.length, model.getClassLabels(), labels.length]));`,
  );
  const env = { URL: host.url.origin, KEY: key };
  const { stdout, stderr } = await run(process.execPath, ['theirs.js'], { cwd: folder, env });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toEqual([2, ['cat', 'dog'], 2]);
});

it('brings its types', async () => {
  writeFileSync(
    join(folder, 'theirs.ts'),
    `import { HeadwaterClient, ApiError } from 'headwater/sdk';
     const client = new HeadwaterClient({ url: 'https://example.com', key: 'k' });
     const score: Promise<number> = client.describeHead('h').then(({ version }) => version);
     // @ts-expect-error a head is named by a string
     void client.describeHead(1);
     // @ts-expect-error there is no such field
     void client.describeHead('h').then(({ wings }) => wings);
     console.log(score, new ApiError('m', { status: 1, code: 'c' }).status);`,
  );
  const compilerOptions = {
    noEmit: true,
    strict: true,
    module: 'nodenext',
    target: 'esnext',
    types: [],
    lib: ['ESNext', 'DOM'],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['theirs.ts'] }));
  const tsc = join(root, 'node_modules/.bin/tsc');
  expect(await run(tsc, ['-p', 'tsconfig.json'], { cwd: folder })).toMatchObject({ code: 0, stdout: '' });
});
