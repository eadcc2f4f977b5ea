/** The backbone as the real Worker has it: plan and weights in the bundle. */
import { network } from './networks/chosen.ts';
import { required, type Work } from './serve.ts';

export const { backbone, input } = network;

/** As many runs as the real Worker does at start-up, so that V8 has taken the kernels for hot. */
const WARM_UP_RUNS = 4;

interface AnyEngine {
  codes(pixels: Uint8Array): Float32Array | Promise<Float32Array>;
}

/** The engine, after it has seen pictures: what a Worker can do before there is a request. */
export async function warmed<T extends AnyEngine>(engine: T): Promise<T> {
  const { width, height, channels } = backbone.plan.input;
  for (let run = 0; run < WARM_UP_RUNS; run++) await engine.codes(new Uint8Array(width * height * channels));
  return engine;
}

/** One CNN code of the pixels that were sent, as little-endian floats. */
export function codesOf(engine: AnyEngine): Work {
  return async (inputs) => bytesOf(await engine.codes(required(inputs, 'input')));
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
