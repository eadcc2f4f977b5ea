/** Decoding and resizing alone. */
import { decoders } from './decoders.ts';
import { required, serve } from './serve.ts';

export default serve({
  headwater: (inputs) => decoders.headwater(required(inputs, 'input')),
  jsquash: (inputs) => decoders.jsquash(required(inputs, 'input')),
});
