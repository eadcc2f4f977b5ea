/** All that a classification takes: a JPEG file in, probabilities out. The head is sent beforehand. */
import { type Head, readHead, score } from '../../src/head/index.ts';
import { bytesOf } from './backbone.ts';
import { type Decode, decoders } from './decoders.ts';
import { type Handler, required, serve, type Work } from './serve.ts';

interface Engine {
  codes(pixels: Uint8Array): Float32Array;
}

export function pipeline(engine: Engine): Handler {
  let head: Head | undefined;
  const classify =
    (decode: Decode): Work =>
    async (inputs) => {
      head ??= readHead(required(inputs, 'head'));
      return bytesOf(score(head, engine.codes(await decode(required(inputs, 'input')))).probabilities);
    };
  return serve({
    headwater: classify(decoders.headwater),
    jsquash: classify(decoders.jsquash),
  });
}
