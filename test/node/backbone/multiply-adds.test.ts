import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { backboneAt, loadBackbone } from '../../../src/backbone/index.ts';
import { multiplyAdds } from '../../../src/backbone/multiply-adds.ts';

const folder = join(import.meta.dirname, '../../../backbones/mobilenet-v3-small');
const planJson: unknown = JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
const weights = readFileSync(join(folder, 'weights.safetensors'));

it('counts the multiply-adds that MobileNetV3-Small is published with, and half at half the pixels', () => {
  const own = loadBackbone(planJson, weights);
  const backbone = { ...own, plan: { ...own.plan, input: { ...own.plan.input, sides: [160] } } };
  // Howard et al. 2019: 56 million, with a classifier of 1.6 million that is not here.
  expect(multiplyAdds(backbone) / 1e6).toBeCloseTo(56, -1);
  const small = multiplyAdds(backboneAt(backbone, { height: 160, width: 160 }));
  expect(small / multiplyAdds(backbone)).toBeCloseTo((160 / 224) ** 2, 1);
});
