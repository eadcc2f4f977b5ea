/** onnxruntime-web without turning bytes into floats and planes. */
import { ortEngine } from './ort-engine.ts';
import { preparedCodes } from './prepared.ts';
import { serve } from './serve.ts';

export default serve({ codes: preparedCodes(() => ortEngine('planes')) });
