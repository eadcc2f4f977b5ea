/** The backbone on onnxruntime-web in 8 bits, bytes in. */
import { codesOf } from './backbone.ts';
import { ortEngine } from './ort-engine.ts';
import { serve } from './serve.ts';

export default serve({ codes: async (inputs) => await codesOf(await ortEngine('8-bit pixels'))(inputs) });
