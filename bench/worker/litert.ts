/** The backbone on LiteRT.js, bytes in. */
import { codesOf } from './backbone.ts';
import { liteRtEngine } from './litert-engine.ts';
import { serve } from './serve.ts';

export default serve({ codes: async (inputs) => await codesOf(await liteRtEngine('uint8'))(inputs) });
