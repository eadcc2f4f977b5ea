/** LiteRT.js without turning bytes into floats. */
import { liteRtEngine } from './litert-engine.ts';
import { preparedCodes } from './prepared.ts';
import { serve } from './serve.ts';

export default serve({ codes: preparedCodes(() => liteRtEngine('float32')) });
