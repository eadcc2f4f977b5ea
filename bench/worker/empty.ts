/** A Worker that holds nothing: what any isolate costs. */
import { serve } from './serve.ts';

export default serve({ codes: () => new Uint8Array() });
