/** The backbones that the project carries are what their sources give, byte for byte. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
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
    expect(Object.keys(files).toSorted()).toEqual(readdirSync(join(carried, name)).toSorted());
    for (const [file, content] of Object.entries(files))
      expect(Buffer.compare(Buffer.from(content), readFileSync(join(carried, name, file))), file).toBe(0);
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
