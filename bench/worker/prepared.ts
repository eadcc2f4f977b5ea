/** The model alone: a picture is put into the runtime's layout once, before it is repeated. */
import { bytesOf } from './backbone.ts';
import { required, type Work } from './serve.ts';

interface PreparingEngine<T> {
  prepare(pixels: Uint8Array): T;
  run(input: T): Promise<Float32Array>;
}

/** @param engineOf is called within requests. */
export function preparedCodes<T>(engineOf: () => Promise<PreparingEngine<T>>): Work {
  const prepared = new WeakMap<Uint8Array, T>();
  return async (inputs) => {
    const engine = await engineOf();
    const pixels = required(inputs, 'input');
    const input = prepared.get(pixels) ?? engine.prepare(pixels);
    prepared.set(pixels, input);
    return bytesOf(await engine.run(input));
  };
}
