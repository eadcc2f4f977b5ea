import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CodesCache, dropUnused } from '../../../trainer/codes/cache.ts';
import { temporaryFolder } from './workspace.ts';

const SHA = 'ab'.repeat(32);
const CODE = Float16Array.from([0, -1.5, 65504, 2 ** -24]);

async function kept(): Promise<{ cache: CodesCache; file: string; folder: string }> {
  const folder = temporaryFolder();
  const cache = new CodesCache(folder, 'key', CODE.length, expect.unreachable);
  await cache.put(SHA, CODE);
  return { cache, folder, file: join(folder, 'key', 'ab', `${SHA}.code`) };
}

describe('codes cache', () => {
  test('gives back the same bits, to another instance too', async () => {
    const { folder, file } = await kept();
    const again = new CodesCache(folder, 'key', CODE.length, expect.unreachable);
    expect(await again.get(SHA)).toEqual(CODE);
    expect(readdirSync(join(file, '..'))).toEqual([`${SHA}.code`]);
  });

  test('knows nothing of other pictures, keys and lengths', async () => {
    const { cache, folder } = await kept();
    expect(await cache.get('cd'.repeat(32))).toBeUndefined();
    expect(await new CodesCache(folder, 'other', CODE.length, expect.unreachable).get(SHA)).toBeUndefined();
    expect(await new CodesCache(folder, 'key', CODE.length + 1, expect.unreachable).get(SHA)).toBeUndefined();
  });

  test('every flipped bit and every truncation is noticed', async () => {
    const { cache, file } = await kept();
    const whole = readFileSync(file);
    for (let i = 0; i < whole.length; i++) {
      const broken = Uint8Array.from(whole);
      broken[i] ^= 1;
      writeFileSync(file, broken);
      expect(await cache.get(SHA), `byte ${i}`).toBeUndefined();
    }
    for (let length = 0; length < whole.length; length++) {
      writeFileSync(file, whole);
      truncateSync(file, length);
      expect(await cache.get(SHA), `length ${length}`).toBeUndefined();
    }
    await cache.put(SHA, CODE);
    expect(await cache.get(SHA)).toEqual(CODE);
  });

  test('where nothing can be written the run goes on, warned once', async () => {
    const folder = temporaryFolder();
    // A file where the folder should be: stops even those whom permissions do not.
    writeFileSync(join(folder, 'key'), '');
    chmodSync(join(folder, 'key'), 0o400);
    const warnings: string[] = [];
    const cache = new CodesCache(folder, 'key', CODE.length, (line) => warnings.push(line));
    await cache.put(SHA, CODE);
    await cache.put('cd'.repeat(32), CODE);
    expect(warnings).toHaveLength(1);
    expect(await cache.get(SHA)).toBeUndefined();
  });

  test('codes that nobody used for long are deleted', async () => {
    const folder = temporaryFolder();
    for (const name of ['key', 'recent', 'old']) mkdirSync(join(folder, name));
    const longAgo = Date.now() / 1000 - 40 * 86_400;
    for (const name of ['key', 'old']) utimesSync(join(folder, name), longAgo, longAgo);
    await dropUnused(folder, 'key');
    expect(['key', 'recent', 'old'].map((name) => existsSync(join(folder, name)))).toEqual([
      true,
      true,
      false,
    ]);
    await dropUnused(join(folder, 'absent'), 'key');
  });
});
