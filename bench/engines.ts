/** Every engine that runs in this process, behind one door. */
import { createTfjsEngine, type Backbone, type Engine } from '../src/backbone/index.ts';
import { createSimdEngine } from '../src/backbone/simd/index.ts';
import type { OnnxInput } from '../src/export/index.ts';
import { built, compiled, nativeRuntime, webRuntime } from './peers/load.ts';
import { createOnnxEngine } from './peers/onnx-engine.ts';

/** The reference, and what ratios are taken to. */
export const REFERENCE = 'tfjs-wasm';

export interface Candidate {
  readonly name: string;
  /** CNN codes of the pixels, again and again: everything that can be prepared has been. */
  readonly run: () => Promise<Float32Array> | Float32Array;
}

/** Our own engines, the reference first, on any backbone. */
export async function ownEngines(backbone: Backbone): Promise<Engine[]> {
  return [
    await createTfjsEngine(
      backbone,
      compiled('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm'),
    ),
    createSimdEngine(backbone, built('engine')),
    createSimdEngine(backbone, built('engine-relaxed')),
  ];
}

/** All engines on one picture. */
export async function candidates(backbone: Backbone, pixels: Uint8Array): Promise<Candidate[]> {
  const own = (await ownEngines(backbone)).map((engine) => ({
    name: engine.name,
    run: () => engine.codes(pixels),
  }));
  const peers: Candidate[] = [];
  for (const [name, runtime] of [
    ['onnxruntime-web', await webRuntime()],
    ['onnxruntime-node (native)', await nativeRuntime()],
  ] as const) {
    for (const input of ['pixels', 'planes'] satisfies OnnxInput[]) {
      const full = input === 'pixels' ? name : `${name}, input prepared`;
      const engine = await createOnnxEngine(full, runtime, backbone, input, {
        freeDimensionOverrides: { n: 1 },
      });
      const prepared = engine.prepare(pixels);
      peers.push({ name: full, run: () => engine.run(prepared) });
    }
  }
  return [...own, ...peers];
}
