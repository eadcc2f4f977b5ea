/** The backbone on LiteRT.js in 8 bits, bytes in. */
import { codesOf } from './backbone.ts';
import { liteRtEngine } from './litert-engine.ts';
import { serve } from './serve.ts';

export default serve({ codes: async (inputs) => await codesOf(await liteRtEngine('8-bit uint8'))(inputs) });
