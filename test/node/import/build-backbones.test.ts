/** What the Worker is bundled with must be sound, each backbone once, and all together small enough. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildBackbones } from '../../../scripts/build/backbones.ts';

const builtIn = join(import.meta.dirname, '../../../backbones/mobilenet-v3-small');
let folder: string;
let none: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'backbones-'));
  none = join(folder, 'none');
  mkdirSync(none);
});
afterEach(() => rmSync(folder, { recursive: true }));

function add(name: string): string {
  const to = join(folder, name);
  mkdirSync(to);
  for (const file of ['plan.json', 'weights.safetensors']) copyFileSync(join(builtIn, file), join(to, file));
  return to;
}

function registry(): string {
  return readFileSync(join(folder, 'index.ts'), 'utf8');
}

describe('the registry of backbones', () => {
  it('is an empty list without any', () => {
    expect(buildBackbones(folder, none)).toEqual([]);
    expect(registry()).toMatch(/= \[\n\];/);
  });

  it('names each with the hash of its weights', () => {
    add('one');
    mkdirSync(join(folder, 'no backbone'));
    expect(buildBackbones(folder, none)).toEqual(['one']);
    const plan = readFileSync(join(folder, 'one', 'plan.json'), 'utf8');
    const [, weightsSha256] = /"weightsSha256": "([0-9a-f]{64})"/.exec(plan)!;
    expect(registry()).toContain("import weights0 from './one/weights.safetensors';");
    expect(registry()).toContain(`weightsSha256: '${weightsSha256}', plan: plan0, weights: weights0`);
  });

  it('begins with those that the project carries', () => {
    expect(buildBackbones(folder)).toEqual([]);
    expect(registry()).toMatch(/efficientnet-lite0[^]*mobilenet-v3-small/);
  });

  it('refuses one that the project carries', () => {
    add('one');
    expect(() => buildBackbones(folder)).toThrow(/mobilenet-v3-small and .*one have the same weights/);
  });

  it('refuses damaged ones', () => {
    truncateSync(join(add('broken'), 'weights.safetensors'), 1_000_000);
    expect(() => buildBackbones(folder, none)).toThrow(/broken cannot be used/);
  });

  it('refuses weights of another plan', () => {
    const file = join(add('wrong'), 'plan.json');
    const text = readFileSync(file, 'utf8').replace(
      /"weightsSha256": "[0-9a-f]{64}"/,
      `"weightsSha256": "${'0'.repeat(64)}"`,
    );
    writeFileSync(file, text);
    expect(() => buildBackbones(folder, none)).toThrow(/not those of its plan/);
  });

  it('refuses the same one twice', () => {
    add('one');
    add('two');
    expect(() => buildBackbones(folder, none)).toThrow(/one and .*two have the same weights/);
  });
});
