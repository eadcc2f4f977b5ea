import plan from '../../../backbones/efficientnet-lite0/plan.json' with { type: 'json' };
import weights from '../../../backbones/efficientnet-lite0/weights.safetensors?bytes';
import { backboneAt, loadBackbone } from '../../../src/backbone/index.ts';
import type { Network } from '../../networks.ts';

/** As `lite0` of bench/networks.ts. */
export function lite0(side: number): Network {
  const size = { height: side, width: side };
  return {
    backbone: backboneAt(loadBackbone(plan, new Uint8Array(weights)), size),
    input: { ...size, rules: 2 },
  };
}
