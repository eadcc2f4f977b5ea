/** The model alone on onnxruntime-web: a picture is put into the runtime's layout once, before it is repeated. */
import type { PreparedInput } from '../peers/onnx-engine.ts';
import { bytesOf } from './backbone.ts';
import { ortEngine } from './ort-engine.ts';
import { required, serve } from './serve.ts';

const prepared = new WeakMap<Uint8Array, PreparedInput>();

export default serve({
  codes: async (inputs) => {
    const engine = await ortEngine('planes');
    const pixels = required(inputs, 'input');
    const input = prepared.get(pixels) ?? engine.prepare(pixels);
    prepared.set(pixels, input);
    return bytesOf(await engine.run(input));
  },
});
