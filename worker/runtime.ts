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
import resize from '../build/wasm/resize.wasm?module';
import {
  createTfjsEngine,
  loadBackbone,
  type Backbone,
  type Engine,
  type Plan,
  type TailedEngine,
} from '../src/backbone/index.ts';
import { createImageDecoder, type ImageDecoder } from '../src/image/index.ts';

export interface Runtime {
  /** Of the backbone: its identity, and the size that pictures are brought to. */
  readonly plan: Plan;
  readonly engine: Engine;
  /** Of each step's feature map. */
  readonly shapes: Backbone['shapes'];
  /** What reads feature maps, for heat-maps: asynchronous, since an engine without maps has another made when needed. */
  readonly mapReader: () => Promise<Pick<TailedEngine, 'codesAndMaps'>>;
  readonly decoder: ImageDecoder;
}

async function createRuntime(): Promise<Runtime> {
  const backbone = loadBackbone(plan, new Uint8Array(weights));
  const engine = await createTfjsEngine(backbone, tfjsWasm);
  return {
    plan: backbone.plan,
    engine,
    shapes: backbone.shapes,
    mapReader: () => Promise.resolve(engine),
    decoder: createImageDecoder({ jpeg, png, webp, resize }),
  };
}

export const runtime = await createRuntime();
