import plan from '../../../backbones/mobilenet-v3-small/plan.json' with { type: 'json' };
import weights from '../../../backbones/mobilenet-v3-small/weights.safetensors?bytes';
import { loadBackbone } from '../../../src/backbone/index.ts';
import type { Network } from '../../networks.ts';

/** As `mobileNet` of bench/networks.ts. */
export const network: Network = {
  backbone: loadBackbone(plan, new Uint8Array(weights)),
  input: { height: 224, width: 224, rules: 1 },
};
