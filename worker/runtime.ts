/**
 * The classifier of this Worker, made once when the isolate starts: the backbone's weights travel in the bundle, so that
 * a first request pays for neither storage nor set-up.
 */
import jpeg from '@cwasm/jpeg-turbo/jpeg-turbo.wasm?module';
import png from '@jsquash/png/codec/pkg/squoosh_png_bg.wasm?module';
import webp from '@jsquash/webp/codec/dec/webp_dec.wasm?module';
import tfjsWasm from '@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-simd.wasm?module';
import plan from '../build/backbone/plan.json';
import weights from '../build/backbone/weights.safetensors';
import { createTfjsEngine, loadBackbone, type Engine, type Plan } from '../src/backbone/index.ts';
import { createImageDecoder, type ImageDecoder } from '../src/image/index.ts';

export interface Runtime {
  /** Of the backbone: its identity, and the size that pictures are brought to. */
  readonly plan: Plan;
  readonly engine: Engine;
  readonly decoder: ImageDecoder;
}

async function createRuntime(): Promise<Runtime> {
  const backbone = loadBackbone(plan, new Uint8Array(weights));
  return {
    plan: backbone.plan,
    engine: await createTfjsEngine(backbone, tfjsWasm),
    decoder: createImageDecoder({ jpeg, png, webp }),
  };
}

export const runtime = await createRuntime();
