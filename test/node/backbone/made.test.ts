/** The backbones that the project carries are what their sources give, byte for byte. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAKERS } from '../../../scripts/backbone/index.ts';
import { loadBackbone } from '../../../src/backbone/index.ts';
import { skipped } from '../skipped.ts';

const carried = join(import.meta.dirname, '../../../backbones');
const withoutPip =
  spawnSync('python3', ['-m', 'pip', '--version']).status !== 0 &&
  skipped('the backbones are made again only where python3 has pip.');

describe.skipIf(withoutPip)('a backbone that is made again', () => {
  it.each(Object.entries(MAKERS))('%s has the same files', async (name, make) => {
    const files = await make(() => {});
    expect(Object.keys(files)).toEqual(['plan.json', 'weights.safetensors']);
    for (const [file, content] of Object.entries(files))
      expect(Buffer.compare(Buffer.from(content), readFileSync(join(carried, name, file))), file).toBe(0);
  });
});

describe('a model card', () => {
  it.each(Object.keys(MAKERS))('of %s is of these weights and taps', (name) => {
    const file = (part: string): Buffer => readFileSync(join(carried, name, part));
    const weights = file('weights.safetensors');
    const { plan, codeLength } = loadBackbone(JSON.parse(file('plan.json').toString()), weights);
    const card = file('MODEL_CARD.md').toString();
    expect(card).toContain(`# ${plan.name}, version ${plan.version}\n`);
    expect(card).toContain(`CNN code of ${codeLength} numbers`);
    expect(card).toContain(`${plan.steps.length} steps |`);
    expect(card).toContain(`${weights.length} bytes, SHA-256 \`${plan.weightsSha256}\``);
    const tapRow = /^\| (\S+) \|(?: mean of the| deviation of the)? output of `(\S+)` \| (\d+) \|$/gm;
    const rows = Array.from(card.matchAll(tapRow), ([, tap, step, channels]) => [
      tap,
      step,
      Number(channels),
    ]);
    expect(rows).toEqual(plan.taps.map((tap) => [tap.name, tap.step, tap.channels]));
  });
});

describe('EfficientNet-Lite0', () => {
  const folder = join(carried, 'efficientnet-lite0');
  const plan: unknown = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
  const backbone = loadBackbone(plan, readFileSync(join(folder, 'weights.safetensors')));

  it('has codes of 3,680 numbers', () => {
    expect(backbone.codeLength).toBe(3680);
    expect(backbone.plan.taps.length).toBe(22);
    expect(backbone.plan.taps.filter(({ statistic }) => statistic === 'deviation').length).toBe(8);
  });

  it('pads as TensorFlow does at each of its sides', () => {
    const { steps, input } = backbone.plan;
    for (const side of [...(input.sides ?? []), input.height]) {
      const sides = new Map([['input', side]]);
      for (const step of steps) {
        const before = sides.get(step.input)!;
        if (step.op !== 'conv' && step.op !== 'depthwise') {
          sides.set(step.name, before);
          continue;
        }
        const [kernel] = backbone.tensorShapes.get(step.weights)!;
        const after = Math.ceil(before / step.stride);
        const total = Math.max(0, (after - 1) * step.stride + kernel - before);
        const [top, bottom] = [Math.floor(total / 2), Math.ceil(total / 2)];
        expect(step.padding, `${step.name} at ${side}`).toEqual([top, bottom, top, bottom]);
        sides.set(step.name, after);
      }
    }
  });
});
