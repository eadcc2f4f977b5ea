/**
 * Other people's protocols: thin layers over the same core, so that clients written for other services work here when
 * their address is changed. Each speaks as its protocol does, errors included; docs/protocols.md shows them.
 */
import type { App } from '../env.ts';
import type { Services } from '../isolate/services.ts';
import { addCustomVision } from './custom-vision/index.ts';
import { addHuggingFace } from './hugging-face.ts';
import { addOpenInference } from './open-inference.ts';
import { addWorkersAi } from './workers-ai.ts';

export function addProtocols(app: App, services: Services): void {
  addHuggingFace(app, services);
  addWorkersAi(app, services);
  addOpenInference(app, services);
  addCustomVision(app, services);
}
