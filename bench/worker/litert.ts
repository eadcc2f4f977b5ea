/** The backbone on LiteRT.js, bytes in. */
import { codesOf } from './backbone.ts';
import { liteRtEngine } from './litert-engine.ts';
import { serve } from './serve.ts';

export default serve({
  codes: async (inputs) => {
    const engine = await liteRtEngine('uint8');
    return await codesOf({
      async codes(pixels) {
        const input = engine.prepare(pixels);
        const codes = await engine.run(input);
        input.delete();
        return codes;
      },
    })(inputs);
  },
});
