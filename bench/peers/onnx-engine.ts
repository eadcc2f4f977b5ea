/** ONNX Runtime, in any of its builds, behind the same door as the project's engines: bytes in, CNN codes out. */
import type { Runtime, SessionOptions } from 'onnxruntime-common';
import type { Backbone } from '../../src/backbone/index.ts';
import { CODES, type OnnxInput, planToOnnx } from '../../src/export/index.ts';
import { onnx8Bit } from './onnx-8bit.ts';

export interface OnnxEngine {
  codes(pixels: Uint8Array): Promise<Float32Array>;
  /** Runs the model alone on an input made by `prepare`, outside the time measured. */
  run(prepared: PreparedInput): Promise<Float32Array>;
  prepare(pixels: Uint8Array): PreparedInput;
}

type PreparedInput = Record<string, InstanceType<Runtime['Tensor']>>;

/** One thread, every graph optimisation. */
const SESSION: SessionOptions = { intraOpNumThreads: 1, interOpNumThreads: 1, graphOptimizationLevel: 'all' };

/** `pixels` lets the model convert bytes to its layout; `planes` has the host do it. */
export type OnnxModel = OnnxInput | '8-bit pixels';

export async function createOnnxEngine(
  runtime: Runtime,
  backbone: Backbone,
  model: OnnxModel,
  options: SessionOptions = {},
): Promise<OnnxEngine> {
  const input = model === '8-bit pixels' ? 'pixels' : model;
  const file = model === '8-bit pixels' ? onnx8Bit(backbone) : planToOnnx(backbone, input);
  const session = await runtime.InferenceSession.create(file, { ...SESSION, ...options });
  const { height, width, channels, padValue } = backbone.plan.input;
  const prepare = (pixels: Uint8Array): PreparedInput => {
    const n = pixels.length / (height * width * channels);
    if (input === 'pixels')
      return { pixels: new runtime.Tensor('uint8', pixels, [n, height, width, channels]) };
    const planes = toPlanes(pixels, n, height * width, padValue);
    return { planes: new runtime.Tensor('float32', planes, [n, channels, height, width]) };
  };
  const run = async (prepared: PreparedInput): Promise<Float32Array> =>
    (await session.run(prepared))[CODES].data;
  return { prepare, run, codes: (pixels) => run(prepare(pixels)) };
}

/** [n, area, channels] bytes → [n, channels, area] floats, less `centre` of each channel. */
function toPlanes(pixels: Uint8Array, n: number, area: number, centre: readonly number[]): Float32Array {
  const channels = centre.length;
  const planes = new Float32Array(pixels.length);
  for (let picture = 0; picture < n; picture++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = picture * area * channels + channel;
      const to = (picture * channels + channel) * area;
      for (let i = 0; i < area; i++) planes[to + i] = pixels[from + i * channels] - centre[channel];
    }
  }
  return planes;
}
