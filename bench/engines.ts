/** Every engine that runs in this process, behind one door. */
import { type Backbone } from '../src/backbone/index.ts';
import { createTfjsEngine } from '../src/backbone/tfjs/engine.ts';
import { hasRanges } from '../src/backbone/ranges.ts';
import { createSimdEngine } from '../src/backbone/simd/index.ts';
import { createLiteRtEngine, type LiteRtModel } from './peers/litert.ts';
import { built, compiled, liteRtParts, nativeRuntime, webRuntime } from './peers/load.ts';
import { createOnnxEngine, type OnnxModel } from './peers/onnx-engine.ts';

/** The reference, and what ratios are taken to. */
export const REFERENCE = 'tfjs-wasm';

/** Makes an engine for a backbone and binds it to pictures: everything that can be prepared beforehand is. */
type Make = (backbone: Backbone) => Promise<(pixels: Uint8Array) => Run>;
type Run = () => Promise<Float32Array> | Float32Array;

/** The project's own, the reference first. To measure another engine or variant, add it here. */
const OWN: Readonly<Record<string, Make>> = {
  [REFERENCE]: async (backbone) => {
    const wasm = compiled('@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm');
    const engine = await createTfjsEngine(backbone, wasm);
    return (pixels) => () => engine.codes(pixels);
  },
  simd32: simd('engine', 32),
  'simd32-relaxed': simd('engine-relaxed', 32),
  simd16: simd('engine', 16),
  'simd16-relaxed': simd('engine-relaxed', 16),
};

/** Of backbones with ranges. */
const OWN_8_BIT: typeof OWN = {
  simd8: simd('engine', 8),
  'simd8-relaxed': simd('engine-relaxed', 8),
};

const PEERS: Readonly<Record<string, Make>> = {
  'onnxruntime-web': onnx(webRuntime, 'pixels'),
  'onnxruntime-web, input prepared': onnx(webRuntime, 'planes'),
  'LiteRT.js': litert('uint8'),
  'LiteRT.js, input prepared': litert('float32'),
  'onnxruntime-node (native)': onnx(nativeRuntime, 'pixels'),
  'onnxruntime-node (native), input prepared': onnx(nativeRuntime, 'planes'),
};

/** With models in their own 8 bits, of backbones with ranges. */
const PEERS_8_BIT: typeof PEERS = {
  'onnxruntime-web, 8 bits': onnx(webRuntime, '8-bit pixels'),
  'LiteRT.js, 8 bits': litert('8-bit uint8'),
  'onnxruntime-node (native), 8 bits': onnx(nativeRuntime, '8-bit pixels'),
};

export interface Candidate {
  readonly name: string;
  /** CNN codes of the pixels, again and again. */
  readonly run: (pixels: Uint8Array) => Run;
}

interface Candidates {
  readonly engines: readonly Candidate[];
  /** Engines that could not be made here, with the reason. */
  readonly absent: readonly string[];
}

export async function ownEngines(backbone: Backbone): Promise<Candidates> {
  return await makeAll({ ...OWN, ...(hasRanges(backbone) ? OWN_8_BIT : {}) }, backbone);
}

export async function allEngines(backbone: Backbone): Promise<Candidates> {
  const eight = hasRanges(backbone) ? { ...OWN_8_BIT, ...PEERS_8_BIT } : {};
  return await makeAll({ ...OWN, ...PEERS, ...eight }, backbone);
}

/** An engine that this host cannot run (relaxed SIMD, say) must not keep the others from being measured. */
async function makeAll(makers: Readonly<Record<string, Make>>, backbone: Backbone): Promise<Candidates> {
  const engines: Candidate[] = [];
  const absent: string[] = [];
  for (const [name, make] of Object.entries(makers)) {
    try {
      engines.push({ name, run: await make(backbone) });
    } catch (error) {
      if (name === REFERENCE) throw error;
      absent.push(`${name} does not run here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { engines, absent };
}

function simd(module: string, bits: 8 | 16 | 32): Make {
  return (backbone) => {
    const engine = createSimdEngine(backbone, built(module), { bits });
    return Promise.resolve((pixels: Uint8Array) => () => engine.codes(pixels));
  };
}

function onnx(runtime: typeof webRuntime, model: OnnxModel): Make {
  return async (backbone) => {
    const engine = await createOnnxEngine(await runtime(), backbone, model);
    return (pixels) => {
      const prepared = engine.prepare(pixels);
      return () => engine.run(prepared);
    };
  };
}

/** Reads pixels as they are at each run, or, where the host turns them into floats, as they were. */
function litert(model: LiteRtModel): Make {
  return async (backbone) => {
    const engine = await createLiteRtEngine(liteRtParts(), backbone, model);
    return (pixels) => {
      if (model !== 'float32') return () => engine.codes(pixels);
      const prepared = engine.prepare(pixels);
      return () => engine.run(prepared);
    };
  };
}
