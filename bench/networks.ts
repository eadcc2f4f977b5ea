/** The networks that are measured: the two that the project carries, at a size, and how pictures reach them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_BACKBONE, DEFAULT_INPUT } from '../src/backbone/defaults.ts';
import { type Backbone, backboneAt, loadBackbone } from '../src/backbone/index.ts';
import type { PictureInput } from '../src/head/index.ts';
import { root } from '../scripts/build/stale.ts';

export interface Network {
  /** At the input's size. */
  readonly backbone: Backbone;
  readonly input: PictureInput;
}

/** At 224×224 by the pixel rules that it came with: what speed and cost are compared with. */
export function mobileNet(): Network {
  return carried('mobilenet-v3-small', { height: 224, width: 224, rules: 1 });
}

/** What new heads read. */
export function usualNetwork(): Network {
  return carried(DEFAULT_BACKBONE, DEFAULT_INPUT);
}

/** @param side of its pictures, one that its plan allows. */
export function lite0(side: number): Network {
  return carried('efficientnet-lite0', { height: side, width: side, rules: 2 });
}

const loaded = new Map<string, Backbone>();

function carried(name: string, input: PictureInput): Network {
  const folder = join(root, 'backbones', name);
  const plan = (): unknown => JSON.parse(readFileSync(join(folder, 'plan.json'), 'utf8'));
  const own = loaded.get(name) ?? loadBackbone(plan(), readFileSync(join(folder, 'weights.safetensors')));
  loaded.set(name, own);
  return { backbone: backboneAt(own, input), input };
}
